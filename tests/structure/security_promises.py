"""What SECURITY.md promises, by its words, and the tests that fail where it is not so."""

from collections.abc import Mapping

_TRACES = "integration/test_private_traces.py::"
_TLS = "integration/test_broker_tls.py::"
_TO_TLS = "integration/test_moving_to_tls.py::"
_CERTIFICATES = "unit/test_certificates.py::"
_FORGERY = "firmware/on_device/forgery_checks.py::"
_ADMISSION = "unit/test_admission.py::test_what_is_not_authentic_is_refused_by_reason"
_STRANGER = (
    "integration/test_stolen_login.py::"
    "test_with_any_client_id_it_reads_no_foreign_topic_and_takes_no_session"
)
DEFENDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "takes a tank with its device": {
        "learn sites or people": (
            "unit/test_seized.py::test_a_board_contains_no_name_of_site_tank_or_uplink",
            "integration/test_private_broker.py::"
            "test_a_device_reads_and_writes_its_own_topics_only",
        ),
        "send as another device": (
            _STRANGER,
            "integration/test_stolen_login.py::"
            "test_it_writes_no_foreign_topic_by_publish_alias_or_will",
            "integration/test_stolen_login.py::test_a_password_is_refused_with_another_user",
        ),
        "change the past": (
            "integration/test_ingest.py::test_a_fork_is_kept_shown_and_does_not_move_the_line",
        ),
    },
    "listens to the radio or the network": {
        "read it, where the broker has TLS": (
            _TLS + "test_a_node_connects_with_the_ca_that_device_new_writes",
            _TLS + "test_neither_another_ca_nor_a_plain_connection_is_taken",
        ),
        "forge it: every message has an HMAC": (
            _ADMISSION,
            "firmware/on_device/envelope_checks.py::"
            "test_a_message_for_one_topic_does_not_open_on_another",
        ),
    },
    "owns the broker": {
        "delay or drop messages, which shows as silence": (
            "unit/test_watch_silence.py::"
            "test_a_node_is_late_after_its_promise_and_silent_after_three",
        ),
        "forge, alter or replay one unseen": (
            _ADMISSION,
            "integration/test_ingest.py::test_a_duplicate_is_kept_once_and_its_ack_repeated",
            _FORGERY + "test_a_broker_that_plays_old_acks_frees_nothing_that_did_not_arrive",
        ),
        "raise or close an incident": (
            "integration/test_mutations.py::"
            "test_nothing_invalid_is_stored_and_nothing_authentic_is_lost",
        ),
    },
    "floods a topic": {
        "be counted and dropped": (
            "integration/test_flood.py::"
            "test_a_flood_is_dropped_and_counted_and_does_not_stop_the_others",
        ),
        "stop other devices, or be acknowledged without the key": (
            "integration/test_flood.py::"
            "test_a_flood_is_dropped_and_counted_and_does_not_stop_the_others",
            "integration/test_ingest.py::"
            "test_what_is_refused_is_not_acknowledged_and_quarantine_is_bounded",
        ),
    },
    "guesses passwords, or fails on purpose": {
        "try eight in 15 minutes from an address": (
            "unit/test_server_attempts.py::"
            "test_a_source_waits_at_an_account_after_eight_failures_and_others_do_not",
            "integration/test_server_access.py::"
            "test_too_many_attempts_wait_even_with_the_right_password",
        ),
        "keep out a browser that signed in before": (
            "integration/test_server_access.py::"
            "test_somebody_elses_failures_do_not_lock_out_a_browser_that_was_here",
        ),
        "see at `/health` what fails": (
            "integration/test_health.py::test_only_coordinators_see_reasons_and_figures",
        ),
    },
    "opens connections and sends nothing": {
        "hold two hundred of one address for seconds": (
            "integration/test_server_connections.py::test_every_wait_for_a_client_has_an_end",
        ),
        "stop the pages, fill the memory or the log": (
            "integration/test_server_connections.py::"
            "test_1100_idle_and_half_open_connections_leave_the_pages_as_they_are",
            "integration/test_server_connections.py::"
            "test_the_log_of_a_flood_of_wrong_requests_stays_short",
        ),
    },
    "forges an `ack`": {
        "make a node drop a reading: it accepts only its own key and its own hashes": (
            _FORGERY + "test_no_ack_with_another_hash_frees_anything",
            _FORGERY + "test_no_bit_of_an_ack_can_be_flipped",
        ),
    },
    "holds one volunteer's phone": {
        "claim, report, ask to close": (
            "integration/test_server_closing.py::test_a_second_person_or_a_coordinator_closes_it",
        ),
        "end a theft alone, or close what a coordinator has claimed": (
            "integration/test_server_closing.py::"
            "test_no_volunteer_ends_a_theft_alone_whatever_the_reason",
            "integration/test_server_closing.py::"
            "test_only_its_claimant_closes_what_a_coordinator_holds",
            "unit/test_watch_removal.py::test_evidence_after_a_person_closed_opens_a_new_incident",
        ),
    },
    "answers for the network's time": {
        "set the clock of a node before its first ack": (
            "firmware/on_device/clock_checks.py::"
            "test_a_false_time_before_any_ack_ends_with_the_first",
        ),
        "hide when a tank was taken: receipt and acks decide": (
            "unit/test_watch_device_clock.py::"
            "test_a_theft_under_a_spoofed_clock_is_the_theft_that_it_is",
            "firmware/on_device/clock_checks.py::"
            "test_network_time_that_the_acks_contradict_is_not_believed",
        ),
    },
    "read a key out of a node": {
        "shut out that node, or the one with its next key": (
            "integration/test_ingest.py::"
            "test_a_high_key_generation_locks_neither_a_node_nor_its_next_key_out",
        ),
    },
    "reads the log, or `ps`": {
        "learn which tank or place, or a password": (
            _TRACES + "test_the_default_log_names_no_place_and_no_tank",
            _TRACES + "test_no_process_shows_a_secret_and_the_broker_is_not_root",
            _TRACES + "test_the_password_of_a_broker_does_not_stay_in_the_command_line",
        ),
    },
    "takes the server while it is off": {
        "read what is never kept: residents' data, IP logs, photo metadata, past routes": (
            "structure/test_security_page.py::test_no_table_has_a_place_for_what_is_never_kept",
            "integration/test_server_access.py::"
            "test_a_session_is_stored_as_a_hash_behind_a_http_only_cookie",
            _TRACES + "test_no_address_of_a_visitor_is_kept",
        ),
    },
    "copies its disk or a backup": {
        "read where a person is reached": (
            "integration/test_people_alerts.py::test_nothing_of_an_address_is_in_the_database",
            "integration/test_person_services.py::"
            "test_a_passphrase_opens_the_contacts_until_they_are_locked",
        ),
    },
    "disputes the record later": {
        "find an accepted message altered or removed without the Merkle root changing": (
            "integration/test_journal_log.py::test_a_changed_leaf_stops_the_start_and_is_named",
            "integration/test_witness.py::"
            "test_a_shorter_or_different_log_is_lost_even_when_it_has_grown_past_the_witness",
        ),
    },
}
"""By row of *Who we defend against*, and by clause of what that somebody cannot do; and of what
they can, where that is a bound."""

SAID: Mapping[str, tuple[str, ...]] = {
    "Data about residents, IP addresses in logs, officers' names.": (
        "integration/test_private_traces.py::test_no_address_of_a_visitor_is_kept",
        "structure/test_security_page.py::test_no_table_has_a_place_for_what_is_never_kept",
    ),
    "Names or phone numbers of people in journal, MQTT or exports.": (
        "integration/test_secrets_stay.py::test_no_output_contains_a_secret",
        "integration/test_server_api.py::"
        "test_closing_is_once_and_becomes_a_fact_without_a_name",
    ),
    "The program's log has a tank's random id": (
        _TRACES + "test_the_default_log_names_no_place_and_no_tank",
    ),
    "Leaves of the Merkle log and InfluxDB have random ids.": (
        "integration/test_registry_command.py::"
        "test_facts_contain_no_name_no_key_and_no_free_text",
        "unit/test_influxdb_lines.py::test_a_reading_is_one_line_with_its_tags_in_order",
    ),
    "set `live_ids = \"random\"`": (
        _TRACES + "test_live_topics_have_random_ids_where_that_is_set",
    ),
    "export with `--random-ids`": (_TRACES + "test_an_export_for_others_has_random_ids",),
    "Live topics stay on your broker, for its login `noria-reader` alone.": (
        "integration/test_stolen_login.py::"
        "test_with_any_client_id_it_reads_no_foreign_topic_and_takes_no_session",
    ),
    "The demo's one-link sign-in exists in `noria demo` alone": (
        "integration/test_server_access.py::"
        "test_a_copied_configuration_of_the_demo_opens_nothing",
    ),
    "after a theft, revoke it.": (
        "integration/test_private_broker.py::"
        "test_enrolling_and_revoking_take_effect_within_two_seconds",
    ),
    "The private broker takes only TLS from other machines, under a CA": (
        _CERTIFICATES + "test_everything_but_loopback_has_tls_or_is_called_plain",
        _TLS + "test_neither_another_ca_nor_a_plain_connection_is_taken",
    ),
    "Nodes check its certificate, name and dates.": (
        "firmware/test_certificates.py::"
        "test_a_certificate_that_proves_nothing_is_refused_and_no_reading_is_lost",
    ),
    "The key of the CA is 0600 and not encrypted": (
        _CERTIFICATES
        + "test_certificates_begin_before_the_clock_of_a_node_that_never_had_the_time",
        _CERTIFICATES + "test_the_certificate_is_signed_again_sixty_days_before_its_end",
    ),
    "The CA is changed without a cable.": (
        _TLS + "test_the_ca_is_changed_without_a_cable_when_every_device_holds_the_new_one",
        "firmware/test_certificates.py::"
        "test_a_wrong_ca_or_port_given_by_orders_is_tried_and_given_up",
    ),
    "An installation of before goes on without TLS until `noria certificates make`": (
        _CERTIFICATES + "test_an_installation_of_before_goes_on_without_tls_and_is_called_plain",
        _TO_TLS + "test_an_installation_of_before_moves_by_one_command_and_is_told",
    ),
    "`noria status` and the devices page name each listener without TLS.": (
        _TO_TLS + "test_an_installation_of_before_moves_by_one_command_and_is_told",
        _TO_TLS + "test_the_devices_page_names_what_is_plain_and_a_certificate_that_ends",
    ),
    "Noria makes its files 0600 and its folders 0700": (
        _TRACES + "test_every_file_and_folder_of_the_data_is_its_owners_alone",
    ),
    "a start takes rights of others from the data folder.": (
        _TRACES + "test_files_that_an_older_version_left_open_are_closed",
    ),
    "it runs Mosquitto as `mosquitto` or `nobody`.": (
        _TRACES + "test_no_process_shows_a_secret_and_the_broker_is_not_root",
    ),
}  # fmt: skip
"""Sentences of the other sections that promise something, as they are on the page."""
