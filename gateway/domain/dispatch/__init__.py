"""Who hears of an incident, when, and who next if nobody goes. Pure: times are given."""
