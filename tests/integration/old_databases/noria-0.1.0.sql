PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE fact (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	time FLOAT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	lines JSON NOT NULL, 
	body JSON NOT NULL, 
	entry_id BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO fact VALUES(67,'op:zi45xifobh:1',1795894640.9503369331,'op','-','{}','{"incident":"zi45xifobh","op":"claim","person":"oxu2skiuek","eta":1795895840.950337}',530);
INSERT INTO fact VALUES(68,'inc:7swwaff3tt:1',1795894898.0699999332,'inc','dhd5s3bj','{}','{"id":"7swwaff3tt","change":"opened","change_number":1,"at":1795894536.0,"received":1795894898.07,"kind":"low","probability":0.999,"causes":{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0},"because":[{"term":"level","weight":2.406,"basis":"measured","values":{"volume_l":285.046,"sd_l":6.216,"threshold_l":300.0}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":285.046,"sd_l":6.216,"pct":28.5,"trend_lph":-51.2,"low_at":1795893231.2743661,"low_lo":1795892548.9003108,"low_hi":1795897636.6151311,"empty_at":1795912896.4334137,"empty_lo":1795903571.735022,"empty_hi":1796015172.3902311},"tank":"dhd5s3bj"}',538);
INSERT INTO fact VALUES(69,'op:7swwaff3tt:1',1795895848.5832600593,'op','-','{}','{"incident":"7swwaff3tt","op":"claim","person":"oxu2skiuek","eta":1795897048.58326}',557);
INSERT INTO fact VALUES(70,'inc:zi45xifobh:2',1795898585.9219999313,'inc','mcqi2egm','{}','{"id":"zi45xifobh","change":"closed","change_number":2,"at":1795893431.0,"received":1795898585.922,"kind":"low","probability":0.999,"causes":{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0},"because":[{"term":"level","weight":2.738,"basis":"measured","values":{"volume_l":281.831,"sd_l":6.637,"threshold_l":300.0}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":977.299,"sd_l":6.637,"pct":28.2,"trend_lph":-42.2,"low_at":1795895986.7984693,"low_lo":1795894074.5765886,"low_hi":1795914006.4233072,"empty_at":1795924348.1430073,"empty_lo":1795909815.0092604,"empty_hi":1796083766.0237544,"refill_l":715.829,"refill_at":1795896975.0,"closed_why":"refilled"},"tank":"mcqi2egm"}',608);
INSERT INTO fact VALUES(71,'inc:7swwaff3tt:2',1795898602.4360001086,'inc','dhd5s3bj','{}','{"id":"7swwaff3tt","change":"closed","change_number":2,"at":1795894536.0,"received":1795898602.436,"kind":"low","probability":0.999,"causes":{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0},"because":[{"term":"level","weight":2.406,"basis":"measured","values":{"volume_l":285.046,"sd_l":6.216,"threshold_l":300.0}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":1000.0,"sd_l":6.216,"pct":28.5,"trend_lph":-51.2,"low_at":1795893231.2743661,"low_lo":1795892548.9003108,"low_hi":1795897636.6151311,"empty_at":1795912896.4334137,"empty_lo":1795903571.735022,"empty_hi":1796015172.3902311,"refill_l":718.169,"refill_at":1795897894.0,"closed_why":"refilled"},"tank":"dhd5s3bj"}',609);
INSERT INTO fact VALUES(72,'cmd:3mmhuwwr:1795921951',1795921951.194015026,'cmd','3mmhuwwr','{}','{"device":"3mmhuwwr","n":1795921951,"set":{"interval_s":600},"once":[],"release":null,"release_n":0}',NULL);
CREATE TABLE projection (
	name TEXT NOT NULL, 
	cursor BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO projection VALUES('store',727);
INSERT INTO projection VALUES('answers',727);
INSERT INTO projection VALUES('watch',727);
CREATE TABLE projection_state (
	name TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY (name, "key")
);
INSERT INTO projection_state VALUES('watch','state device:7ba4s2s5','{"device":"7ba4s2s5","tank":"birches-3","promises":[{"era":"7otoogsb","boot":1,"seq":51,"began":1795862400.182,"received":1795904111.62,"next_s":600,"credit_s":108.7339997291565,"live":true}],"presence":"speaking","presence_since":1795904111.62,"waiting":false,"auth":"mac","battery_mv":4076,"rssi_dbm":-64,"battery":[[1795895670.839,4073.0],[1795896411.54,4073.0],[1795897215.233,4073.0],[1795897826.05,4074.0],[1795898594.479,4074.0],[1795899308.051,4074.0],[1795900030.839,4075.0],[1795900748.036,4075.0],[1795901603.67,4075.0],[1795902302.934,4075.0],[1795903069.016,4076.0],[1795904111.62,4076.0]],"rssi":[-68.0,-69.0,-62.0,-69.0,-71.0,-65.0,-65.0,-67.0,-66.0,-65.0,-64.0,-64.0],"low_battery":-9,"battery_muted":false,"twins_told":false,"forked_told":[],"lags":[20.670000076293945,46.93400001525879,107.01600003242493,130.61999988555908],"lagged_at":1795904111.62,"due":{"silent":1795906031.62,"late":1795904831.62}}');
INSERT INTO projection_state VALUES('watch','state profile:canal-1','{"tank":"canal-1","profile":{"hours":[[498850,0.0],[498851,158.59599999999998],[498852,49.29400000000001],[498853,21.432000000000016],[498854,49.293000000000006],[498855,69.654],[498856,70.726],[498857,121.09100000000001],[498858,61.080999999999904],[498859,24.647000000000162],[498860,21.431999999999903],[498861,12.859000000000037]],"counted_l":660.105,"counted_hour":498861.0}}');
INSERT INTO projection_state VALUES('watch','state profile:orchard-3','{"tank":"orchard-3","profile":{"hours":[[498850,0.0],[498851,48.22199999999998],[498852,63.22500000000002],[498853,50.722333333333346],[498854,50.722333333333346],[498855,50.722333333333346],[498856,62.152999999999906],[498857,48.22200000000004],[498858,25.718000000000018],[498859,79.29899999999998],[498860,3.2139999999999986],[498861,0.0]],"counted_l":482.21999999999997,"counted_hour":498861.0}}');
INSERT INTO projection_state VALUES('watch','state tank:canal-1','{"tank":"canal-1","source":"3mmhuwwr/0","level":{"at":1795904038.0,"received":1795904119.542,"volume_l":349.342,"sd_l":6.444,"pending":[],"passed":{},"passed_at":{"low":1795867107.0,"critical":1795865993.0},"latched":[],"believed":65,"spikes":0,"state":"ok","since":1795868138.0},"flow":{"recent":[[1795891916.0,407.208],[1795892271.0,403.993],[1795892678.0,401.85],[1795892966.0,399.707],[1795893334.0,398.635],[1795893615.0,401.85],[1795893977.0,398.635],[1795894269.0,399.707],[1795894642.0,400.778],[1795894973.0,390.062],[1795895380.0,378.275],[1795895764.0,382.561],[1795896224.0,361.129],[1795896639.0,358.986],[1795897166.0,357.914],[1795897822.0,362.201],[1795898536.0,361.129],[1795899237.0,350.413],[1795900030.0,349.342],[1795900773.0,351.485],[1795901451.0,348.27],[1795902178.0,348.27],[1795902925.0,350.413],[1795904038.0,349.342]],"mark_l":361.129,"mark_at":1795896639.0,"rise":null,"draw":{"at":1795901451.0,"low_at":1795902925.0,"low_l":348.27},"drawn_l":647.246,"refill_at":1795867586.0,"refill_l":661.177,"leak_at":0.0},"health":{"faults":0,"good":65,"fault_at":null,"fault":"","faulty":false,"broken":"","value":774,"same":1,"same_since":1795904038.0,"muted":false},"episode":null,"aslant":null,"knock_at":0.0,"backlog":[],"held":false,"muted":"","low_at":[1795906691.96629,1795904935.8911455,1795924167.4329479],"empty_at":[1795926086.7763824,1795915677.5438447,1796040287.3839266],"due":{"hour":1795906800.0}}');
INSERT INTO projection_state VALUES('watch','boots 7ba4s2s5','{"7otoogsb":{"1":[41828,0,1795862306.0,8,1,1795862283.62]}}');
CREATE TABLE tank_now (
	tank TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	value JSON NOT NULL, 
	PRIMARY KEY (tank)
);
INSERT INTO tank_now VALUES('canal-1',574,'{"tank":"canal-1","state":"ok","state_since":1795868138.0,"at":1795905897.0,"received":1795906028.704,"volume_l":346.127,"sd_l":6.211,"pct":34.6,"trend_lph":-2.9,"low_at":{"at":1795910932.3180292,"lo":1795908862.0253258,"hi":1795931624.1308422},"empty_at":{"at":1795936016.3045912,"lo":1795922728.1429791,"hi":1796081800.2926056},"presence":"late","presence_since":1795906748.704,"due":1795906628.704,"last_refill_at":1795867586.0,"last_refill_l":661.177,"battery_mv":4077,"rssi_dbm":-65,"auth":"mac"}');
INSERT INTO tank_now VALUES('birches-2',574,'{"tank":"birches-2","state":"unknown","state_since":1795868245.308,"at":1795868100.0,"received":1795868245.308,"volume_l":620.456,"sd_l":7.16,"pct":62.0,"trend_lph":null,"low_at":null,"empty_at":null,"presence":"silent","presence_since":1795868565.245,"due":1795868385.245,"last_refill_at":null,"last_refill_l":null,"battery_mv":4062,"rssi_dbm":-67,"auth":"mac"}');
INSERT INTO tank_now VALUES('dunes-cans',574,'{"tank":"dunes-cans","state":"ok","state_since":1795885201.0,"at":1795906001.0,"received":1795906074.896,"volume_l":116.992,"sd_l":0.175,"pct":48.7,"trend_lph":-13.4,"low_at":{"at":1795916066.2636588,"lo":1795911854.9796119,"hi":1795962300.0404677},"empty_at":{"at":1795930894.9217186,"lo":1795919944.7335846,"hi":1796051115.588122},"presence":"late","presence_since":1795906794.896,"due":1795906674.896,"last_refill_at":1795885201.0,"last_refill_l":161.846,"battery_mv":4077,"rssi_dbm":-66,"auth":"mac"}');
CREATE TABLE tank_event (
	tank TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	litres FLOAT, 
	PRIMARY KEY (tank, kind, at)
);
INSERT INTO tank_event VALUES('dunes-cans','draw',1795863130.0,1795864009.0,15.0);
INSERT INTO tank_event VALUES('canal-1','draw',1795862572.0,1795865993.0,158.59999999999999431);
INSERT INTO tank_event VALUES('canal-1','refill',1795865993.0,1795867586.0,661.20000000000004546);
INSERT INTO tank_event VALUES('dunes-cans','draw',1795866865.0,1795872094.0,35.0);
INSERT INTO tank_event VALUES('canal-1','draw',1795868138.0,1795882605.0,209.0);
INSERT INTO tank_event VALUES('dunes-cans','draw',1795874098.0,1795880214.0,60.0);
INSERT INTO tank_event VALUES('dunes-cans','refill',1795880214.0,1795885201.0,161.80000000000001136);
INSERT INTO tank_event VALUES('dunes-cans','draw',1795887236.0,1795892720.0,74.900000000000005683);
INSERT INTO tank_event VALUES('canal-1','draw',1795882605.0,1795896639.0,279.69999999999998862);
INSERT INTO tank_event VALUES('canal-1','draw',1795901451.0,1795902925.0,12.900000000000000355);
CREATE TABLE incident (
	id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	change_number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	tank TEXT, 
	uplink TEXT, 
	at FLOAT NOT NULL, 
	opened FLOAT NOT NULL, 
	updated FLOAT NOT NULL, 
	closed FLOAT, 
	closed_why TEXT, 
	probability FLOAT NOT NULL, 
	causes JSON NOT NULL, 
	because JSON NOT NULL, 
	figures JSON NOT NULL, 
	auth TEXT NOT NULL, 
	learned_late BOOLEAN NOT NULL, 
	claimed_by TEXT, 
	claimed_at FLOAT, 
	claim_eta FLOAT, 
	claim_version INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO incident VALUES('74hdoqtrja',107,2,'low','canal-1',NULL,1795863952.0,1795864276.8450000286,1795868262.865999937,1795868262.865999937,'refilled',0.99899999999999999911,'{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0}','[{"term":"level","weight":6.401,"basis":"measured","values":{"volume_l":260.399,"sd_l":6.187,"threshold_l":300.0}}]','{"volume_l":850.85,"sd_l":6.187,"pct":26.0,"trend_lph":-152.6,"refill_l":661.177,"refill_at":1795867586.0,"closed_why":"refilled"}','mac',0,'oxu2skiuek',1795865178.7163643836,1795866378.7163643837,1);
INSERT INTO incident VALUES('2m6ykbwgwa',115,2,'seized','birches-2',NULL,1795868334.0,1795868355.2449998855,1795868565.2449998855,NULL,NULL,0.73779285788239501453,'{"seized":0.737792857882395,"drained":0.006965972857284143,"slashed":0.0013085655928977784,"lid_open":0.006696371433852538,"moved_by_us":0.10149202471221848,"battery":0.0004158722559188072,"network_out":0.0044068113770224975,"sensor_fault":0.006087915499992629,"clone":0.0003333927023938274,"unknown":0.13450021568602422}','[{"term":"motion","weight":0.348,"basis":"measured","values":{"duration_s":5.0,"peak_mg":1631}},{"term":"tilt","weight":1.101,"basis":"measured","values":{"tilt_deg":58}},{"term":"silence_after_handling","weight":1.893,"basis":"measured","values":{"last_word_at":1795868355.245,"promised_s":30}},{"term":"battery_good","weight":0.004,"basis":"measured","values":{"battery_mv":4062}},{"term":"no_move_planned","weight":0.51,"basis":"inferred","values":{}}]','{"volume_l":620.456,"volume_at":1795868100.0,"motion_s":5.0,"tilt_deg":58,"silent_since":1795868355.245,"lost_l":null,"left_l":null}','mac',0,NULL,NULL,NULL,0);
INSERT INTO incident VALUES('vizeax7mhm',235,2,'network_out',NULL,'orchard-router',1795869544.5399999618,1795871464.5399999618,1795881258.115999937,1795881258.115999937,'speaks',0.87848196256136312776,'{"seized":0.005355881888113428,"drained":0.00438502521165183,"slashed":0.003590154993801638,"lid_open":0.003590154993801638,"moved_by_us":0.014558796411831654,"battery":0.00975905308100249,"network_out":0.8784819625613631,"sensor_fault":0.007990036878337166,"clone":0.00017874329212763033,"unknown":0.07211019068796941}','[{"term":"silent_together","weight":4.5,"basis":"measured","values":{"devices":2}}]','{"devices":2,"tanks":2,"lasted_s":11713.575999975204,"closed_why":"speaks"}','mac',0,NULL,NULL,NULL,0);
CREATE TABLE incident_step (
	id INTEGER NOT NULL, 
	incident TEXT NOT NULL, 
	time FLOAT NOT NULL, 
	what TEXT NOT NULL, 
	person TEXT, 
	data JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO incident_step VALUES(1,'74hdoqtrja',1795864276.8450000286,'opened',NULL,'{"number":1,"kind":"low","probability":0.999,"alert":true}');
INSERT INTO incident_step VALUES(2,'74hdoqtrja',1795864279.9523978233,'told',NULL,'{"channel":"log","number":1}');
INSERT INTO incident_step VALUES(3,'74hdoqtrja',1795865178.7163643836,'claimed','oxu2skiuek','{"eta":1795866378.7163644}');
INSERT INTO incident_step VALUES(4,'74hdoqtrja',1795868262.865999937,'closed',NULL,'{"number":2,"kind":"low","probability":0.999,"alert":true,"why":"refilled"}');
INSERT INTO incident_step VALUES(5,'74hdoqtrja',1795868267.1804814338,'told',NULL,'{"channel":"log","number":2}');
INSERT INTO incident_step VALUES(6,'2m6ykbwgwa',1795868355.2449998855,'opened',NULL,'{"number":1,"kind":"unknown","probability":0.39162401149226006,"alert":true}');
INSERT INTO incident_step VALUES(7,'2m6ykbwgwa',1795868357.2667269706,'told',NULL,'{"channel":"log","number":1}');
INSERT INTO incident_step VALUES(8,'2m6ykbwgwa',1795868565.2449998855,'updated',NULL,'{"number":2,"kind":"seized","probability":0.737792857882395,"alert":true}');
INSERT INTO incident_step VALUES(9,'2m6ykbwgwa',1795868734.2490582466,'told',NULL,'{"channel":"log","number":2}');
INSERT INTO incident_step VALUES(10,'vizeax7mhm',1795871464.5399999618,'opened',NULL,'{"number":1,"kind":"network_out","probability":0.8784819625613631,"alert":true}');
INSERT INTO incident_step VALUES(11,'vizeax7mhm',1795871754.5091776847,'told',NULL,'{"channel":"log","number":1}');
INSERT INTO incident_step VALUES(24,'vizeax7mhm',1795881258.115999937,'closed',NULL,'{"number":2,"kind":"network_out","probability":0.8784819625613631,"alert":false,"why":"speaks"}');
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	incident TEXT NOT NULL, 
	change_number INTEGER NOT NULL, 
	channel TEXT NOT NULL, 
	made FLOAT NOT NULL, 
	due FLOAT NOT NULL, 
	attempts INTEGER NOT NULL, 
	sent FLOAT, 
	given_up FLOAT, 
	error TEXT, 
	change JSON NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (incident, change_number, channel)
);
INSERT INTO outbox VALUES(1,'74hdoqtrja',1,'log',1795864276.8450000286,1795900279.9523978233,1,1795864279.9523978233,NULL,NULL,'{"id":"74hdoqtrja","change":"opened","change_number":1,"at":1795863952.0,"received":1795864276.845,"tank":"canal-1","uplink":null,"kind":"low","probability":0.999,"causes":{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0},"because":[{"term":"level","weight":6.401,"basis":"measured","values":{"volume_l":260.399,"sd_l":6.187,"threshold_l":300.0}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":260.399,"sd_l":6.187,"pct":26.0,"trend_lph":-152.6}}');
INSERT INTO outbox VALUES(2,'74hdoqtrja',2,'log',1795868262.865999937,1795904267.1804814338,1,1795868267.1804814338,NULL,NULL,'{"id":"74hdoqtrja","change":"closed","change_number":2,"at":1795863952.0,"received":1795868262.866,"tank":"canal-1","uplink":null,"kind":"low","probability":0.999,"causes":{"seized":0.0,"drained":0.0,"slashed":0.0,"lid_open":0.0,"moved_by_us":0.0,"battery":0.0,"network_out":0.0,"sensor_fault":0.0,"clone":0.0,"unknown":1.0},"because":[{"term":"level","weight":6.401,"basis":"measured","values":{"volume_l":260.399,"sd_l":6.187,"threshold_l":300.0}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":850.85,"sd_l":6.187,"pct":26.0,"trend_lph":-152.6,"refill_l":661.177,"refill_at":1795867586.0,"closed_why":"refilled"}}');
INSERT INTO outbox VALUES(3,'2m6ykbwgwa',1,'log',1795868355.2449998855,1795904357.2667269706,1,1795868357.2667269706,NULL,NULL,'{"id":"2m6ykbwgwa","change":"opened","change_number":1,"at":1795868334.0,"received":1795868355.245,"tank":"birches-2","uplink":null,"kind":"unknown","probability":0.39162401149226006,"causes":{"seized":0.2907313158203743,"drained":0.03344069922969017,"slashed":0.010357055647637644,"lid_open":0.019497811434662286,"moved_by_us":0.21892224992947795,"battery":0.008947366824986723,"network_out":0.007782579252253128,"sensor_fault":0.017726171497736556,"clone":0.0009707388709212506,"unknown":0.39162401149226006},"because":[{"term":"motion","weight":-0.386,"basis":"measured","values":{"duration_s":5.0,"peak_mg":1631}},{"term":"tilt","weight":-1.204,"basis":"measured","values":{"tilt_deg":58}},{"term":"no_move_planned","weight":0.192,"basis":"inferred","values":{}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":620.456,"volume_at":1795868100.0,"motion_s":5.0,"tilt_deg":58,"silent_since":null,"lost_l":null,"left_l":null}}');
INSERT INTO outbox VALUES(4,'2m6ykbwgwa',2,'log',1795868565.2449998855,1795904734.2490582465,1,1795868734.2490582466,NULL,NULL,'{"id":"2m6ykbwgwa","change":"updated","change_number":2,"at":1795868334.0,"received":1795868565.245,"tank":"birches-2","uplink":null,"kind":"seized","probability":0.737792857882395,"causes":{"seized":0.737792857882395,"drained":0.006965972857284143,"slashed":0.0013085655928977784,"lid_open":0.006696371433852538,"moved_by_us":0.10149202471221848,"battery":0.0004158722559188072,"network_out":0.0044068113770224975,"sensor_fault":0.006087915499992629,"clone":0.0003333927023938274,"unknown":0.13450021568602422},"because":[{"term":"motion","weight":0.348,"basis":"measured","values":{"duration_s":5.0,"peak_mg":1631}},{"term":"tilt","weight":1.101,"basis":"measured","values":{"tilt_deg":58}},{"term":"silence_after_handling","weight":1.893,"basis":"measured","values":{"last_word_at":1795868355.245,"promised_s":30}},{"term":"battery_good","weight":0.004,"basis":"measured","values":{"battery_mv":4062}},{"term":"no_move_planned","weight":0.51,"basis":"inferred","values":{}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"volume_l":620.456,"volume_at":1795868100.0,"motion_s":5.0,"tilt_deg":58,"silent_since":1795868355.245,"lost_l":null,"left_l":null}}');
INSERT INTO outbox VALUES(5,'vizeax7mhm',1,'log',1795871464.5399999618,1795907754.5091776847,1,1795871754.5091776847,NULL,NULL,'{"id":"vizeax7mhm","change":"opened","change_number":1,"at":1795869544.54,"received":1795871464.54,"tank":null,"uplink":"orchard-router","kind":"network_out","probability":0.8784819625613631,"causes":{"seized":0.005355881888113428,"drained":0.00438502521165183,"slashed":0.003590154993801638,"lid_open":0.003590154993801638,"moved_by_us":0.014558796411831654,"battery":0.00975905308100249,"network_out":0.8784819625613631,"sensor_fault":0.007990036878337166,"clone":0.00017874329212763033,"unknown":0.07211019068796941},"because":[{"term":"silent_together","weight":4.5,"basis":"measured","values":{"devices":2}}],"auth":"mac","alert":true,"learned_late":false,"figures":{"devices":2,"tanks":2}}');
CREATE TABLE registry_row (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"table" TEXT NOT NULL, 
	name TEXT NOT NULL, 
	since FLOAT NOT NULL, 
	recorded FLOAT NOT NULL, 
	value JSON NOT NULL
);
INSERT INTO registry_row VALUES(1,'site','birches',0.0,1795861804.8897414207,'{"id":"birches","rid":"b7cspu46","since":0.0,"name":"Birches","people_low":60,"people_high":90,"people_source":"demo"}');
INSERT INTO registry_row VALUES(2,'site','canal',0.0,1795861804.8897414207,'{"id":"canal","rid":"p2ur5pyx","since":0.0,"name":"Canal","people_low":60,"people_high":90,"people_source":"demo"}');
INSERT INTO registry_row VALUES(3,'site','dunes',0.0,1795861804.8897414207,'{"id":"dunes","rid":"4yzvumoo","since":0.0,"name":"Dunes","people_low":60,"people_high":90,"people_source":"demo"}');
INSERT INTO registry_row VALUES(4,'site','orchard',0.0,1795861804.8897414207,'{"id":"orchard","rid":"jmiglusx","since":0.0,"name":"Orchard","people_low":60,"people_high":90,"people_source":"demo"}');
INSERT INTO registry_row VALUES(5,'tank','canal-1',0.0,1795861804.8897414207,'{"id":"canal-1","rid":"bjuuyhb4","site":"canal","since":0.0,"name":"Canal 1","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(6,'tank','canal-2',0.0,1795861804.8897414207,'{"id":"canal-2","rid":"nddiodia","site":"canal","since":0.0,"name":"Canal 2","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(7,'tank','canal-3',0.0,1795861804.8897414207,'{"id":"canal-3","rid":"dhd5s3bj","site":"canal","since":0.0,"name":"Canal 3","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(8,'tank','birches-1',0.0,1795861804.8897414207,'{"id":"birches-1","rid":"g4b7ohr4","site":"birches","since":0.0,"name":"Birches 1","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(9,'tank','birches-2',0.0,1795861804.8897414207,'{"id":"birches-2","rid":"5lgbqyal","site":"birches","since":0.0,"name":"Birches 2","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(10,'tank','birches-3',0.0,1795861804.8897414207,'{"id":"birches-3","rid":"booe2zqv","site":"birches","since":0.0,"name":"Birches 3","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(11,'tank','dunes-1',0.0,1795861804.8897414207,'{"id":"dunes-1","rid":"nutjfedj","site":"dunes","since":0.0,"name":"Dunes 1","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(12,'tank','dunes-2',0.0,1795861804.8897414207,'{"id":"dunes-2","rid":"xepig2dy","site":"dunes","since":0.0,"name":"Dunes 2","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(13,'tank','dunes-cans',0.0,1795861804.8897414207,'{"id":"dunes-cans","rid":"7cmqbhjj","site":"dunes","since":0.0,"name":"Dunes cans","kind":"station","shape":null,"capacity_l":240.0,"empty_l":0.0,"sensor_height_mm":null,"probe_offset_mm":null,"taps":1,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":12000,"cans":12,"can_l":20.0}');
INSERT INTO registry_row VALUES(14,'tank','orchard-1',0.0,1795861804.8897414207,'{"id":"orchard-1","rid":"mcqi2egm","site":"orchard","since":0.0,"name":"Orchard 1","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(15,'tank','orchard-2',0.0,1795861804.8897414207,'{"id":"orchard-2","rid":"kkjwlsll","site":"orchard","since":0.0,"name":"Orchard 2","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(16,'tank','orchard-3',0.0,1795861804.8897414207,'{"id":"orchard-3","rid":"dnmbcmnn","site":"orchard","since":0.0,"name":"Orchard 3","kind":"tank","shape":"ibc1000","capacity_l":1000.0,"empty_l":20,"sensor_height_mm":1100,"probe_offset_mm":null,"taps":4,"low_pct":30.0,"critical_pct":15.0,"diameter_mm":null,"length_mm":null,"width_mm":null,"table":[],"tare_g":null,"cans":null,"can_l":null}');
INSERT INTO registry_row VALUES(17,'device','3mmhuwwr',0.0,1795861804.8897414207,'{"id":"3mmhuwwr","tank":"canal-1","since":0.0,"key":"e686ef0b695e9a5503cd4ec739011610b7df4754f9c3ae611abc19fae4325d4e","public_key":null,"unsigned":false,"uplink":"canal-router","sensor":"a02yyuw","temp_comp":"sensor","revoked":false}');
INSERT INTO registry_row VALUES(21,'device','q7xov7oa',0.0,1795861804.8897414207,'{"id":"q7xov7oa","tank":"birches-2","since":0.0,"key":"f1777b376deef5f9ec40080ab889a819f629ab3ecbb9e954a4c147e653df799e","public_key":null,"unsigned":false,"uplink":"birches-router","sensor":"a02yyuw","temp_comp":"sensor","revoked":false}');
INSERT INTO registry_row VALUES(25,'device','3yqrtzll',0.0,1795861804.8897414207,'{"id":"3yqrtzll","tank":"dunes-cans","since":0.0,"key":"ad173d2e5eed01c3ea8af0a16fa4b45f53429fbea6fa8652306cd54c2b9c8dc0","public_key":null,"unsigned":false,"uplink":"dunes-router","sensor":"hx711","temp_comp":"sensor","revoked":false}');
CREATE TABLE account (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	login TEXT NOT NULL, 
	role TEXT NOT NULL, 
	password TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	disabled FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (login)
);
INSERT INTO account VALUES('oxu2skiuek','Van 2','van-2','volunteer','$argon2id$v=19$m=65536,t=3,p=4$WLZAhS9jn6E8va+gXf3gUA$npduYg5CVs+VdqDip6XURF2QMoUpxMZOmrXRWw9H8fM',1795861808.0792098045,NULL);
CREATE TABLE session (
	token_hash TEXT NOT NULL, 
	account TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	seen FLOAT NOT NULL, 
	PRIMARY KEY (token_hash)
);
CREATE TABLE desired (
	device TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	"set" JSON NOT NULL, 
	once JSON NOT NULL, 
	release TEXT, 
	release_n INTEGER, 
	PRIMARY KEY (device)
);
INSERT INTO desired VALUES('3mmhuwwr',1795921951,'{"interval_s":600}','[]',NULL,0);
CREATE TABLE release (
	id TEXT NOT NULL, 
	bundle BLOB NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE parts_at_broker (
	device TEXT NOT NULL, 
	release TEXT NOT NULL, 
	PRIMARY KEY (device)
);
CREATE TABLE desired_answer (
	device TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	era TEXT NOT NULL, 
	boot INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	ok BOOLEAN NOT NULL, 
	code TEXT NOT NULL, 
	received FLOAT NOT NULL, 
	PRIMARY KEY (device)
);
CREATE TABLE resend_after (
	device TEXT NOT NULL, 
	era TEXT NOT NULL, 
	boot INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	PRIMARY KEY (device)
);
CREATE TABLE planned_move (
	device TEXT NOT NULL, 
	move_from INTEGER NOT NULL, 
	move_to INTEGER NOT NULL, 
	PRIMARY KEY (device)
);
CREATE TABLE gateway_now (
	gateway TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	renewed FLOAT NOT NULL, 
	connected BOOLEAN NOT NULL, 
	broker TEXT NOT NULL, 
	PRIMARY KEY (gateway)
);
INSERT INTO gateway_now VALUES('demo',6823,1795891640.5473239421,0,'127.0.0.1:37167');
CREATE TABLE feeds_now (
	gateway TEXT NOT NULL, 
	broker TEXT NOT NULL, 
	connected BOOLEAN NOT NULL, 
	PRIMARY KEY (gateway, broker)
);
CREATE TABLE device_oddity (
	gateway TEXT NOT NULL, 
	device TEXT NOT NULL, 
	what TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	PRIMARY KEY (gateway, device, what)
);
CREATE TABLE set_aside (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	what TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	time FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (source, what)
);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('registry_row',28);
CREATE INDEX ix_fact_entry_id ON fact (entry_id);
CREATE INDEX ix_tank_now_version ON tank_now (version);
CREATE INDEX ix_incident_tank ON incident (tank);
CREATE INDEX ix_incident_closed ON incident (closed);
CREATE INDEX ix_incident_version ON incident (version);
CREATE INDEX ix_incident_step_incident ON incident_step (incident);
CREATE INDEX ix_outbox_due ON outbox (due);
CREATE INDEX ix_session_account ON session (account);
COMMIT;
