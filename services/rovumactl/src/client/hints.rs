//! What to do next after a refusal.

use crate::exit::Failure;

/// What to do after a refusal with this code; `None` where the refusal itself says it, or the code is of a later version.
pub(super) fn next_after(code: &str) -> Option<&'static str> {
    Some(match code {
        "role" => "ask an administrator of your agency for a role that may do this",
        "role_kind" => "ask an administrator of your agency: persons and machines have roles of their own",
        "separation" => "use an account without the role that excludes this",
        "second_person" => "hand it to a supervisor: rovumactl draft submit",
        "supervisor_only" => "a supervisor of your agency releases it: rovumactl draft submit hands it over",
        "own_draft" => "ask another supervisor",
        "other_author" => "ask its author; rovumactl draft show names them",
        "own_account" => "ask another administrator",
        "reason_required" => "give --reason with a code or file reference, which is logged",
        "not_allowed_in_state" => "rovumactl draft show says in which state it is now",
        "case_unknown" => "rovumactl case list shows the cases that your agency has",
        "other_status" => "what follows in a case is actual, an exercise or a test as the case is",
        "nothing_to_confirm" => "rovumactl case show names the message that is to be confirmed",
        "not_read" => "rovumactl draft show shows it; rovumactl draft release shows it and asks",
        "too_many_drafts" => "rovumactl draft list shows them; rovumactl draft discard discards one",
        "may_not_send" => "ask the operator: the country's trust list says what your agency may send",
        "ambiguous_id" => "give --sender with the agency that sent it",
        "lists_full" => "rovumactl watchlist remove takes one out",
        "import_running" => "wait a while, then try again",
        "proposal_changed" => "rovumactl watchlist lists shows what waits now",
        "decided_already" => "rovumactl watchlist candidates lists what waits for a person",
        "already_there" => "give another name, or replace it with --force; rovumactl audit saved shows it",
        "if_match_required" => "read it, and give --version with the version that you have read",
        "raised_again" => "rovumactl alarms shows it as it is now",
        "version" => "read it again: somebody has changed it since",
        "policy_fault" => "tell the operator",
        _ => return None,
    })
}

/// Adds to a failure where the things are listed of which one was asked for at `path` that is not there.
pub(super) fn if_missing(failure: Failure, path: &str) -> Failure {
    const LISTED: [(&str, &str); 9] = [
        ("/messages/", "rovumactl inbox and rovumactl sent list your agency's messages"),
        ("/drafts/", "rovumactl draft list shows your agency's open drafts"),
        ("/alarms/", "rovumactl alarms lists your agency's alarms"),
        ("/users/", "rovumactl users list shows your agency's users"),
        ("/clients/", "rovumactl clients list shows your agency's machine clients"),
        ("/candidates/", "rovumactl watchlist candidates lists what was found of your agency's alerts"),
        ("/lists/", "rovumactl watchlist lists shows the imported lists, and what waits"),
        ("/queries/", "rovumactl audit saved lists the searches that you keep"),
        ("/events/", "rovumactl audit search shows EPOCH and SEQUENCE of each event"),
    ];
    let listed = LISTED.iter().find(|(part, _)| path.contains(part));
    match listed {
        Some((_, next)) if failure.is_refusal("not_found") => failure.next(format!("check the id: {next}")),
        _ => failure,
    }
}
