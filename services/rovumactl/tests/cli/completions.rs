//! Help, completions and wrong options.

use crate::harness::TestFolder;

#[test]
fn every_shell_has_completions_that_know_the_commands() {
    // Elvish and PowerShell complete no values.
    for (shell, knows_values) in
        [("bash", true), ("zsh", true), ("fish", true), ("elvish", false), ("powershell", false)]
    {
        let ended = TestFolder::new().ok(&format!("completions {shell}"));
        for word in [
            "keys",
            "trust",
            "broker",
            "users",
            "send",
            "inbox",
            "trace",
            "case",
            "alert",
            "request",
            "permission",
            "screen",
            "watchlist",
            "verify",
        ] {
            assert!(ended.stdout.contains(word), "{shell} does not know {word}");
        }
        assert!(!knows_values || ended.stdout.contains("liaison_officer"), "{shell} does not know the roles");
    }
}

#[test]
fn help_documents_the_exit_statuses() {
    let help = TestFolder::new().ok("--help").stdout;
    for line in [
        "0  done",
        "1  done, with a negative",
        "3  refused",
        "4  server",
        "5  verification",
        "6  not logged in",
        "8  a hit was found",
    ] {
        assert!(help.contains(line), "{line:?} is not in {help}");
    }
}

#[test]
fn wrong_options_end_with_2() {
    let desk = TestFolder::new();
    for line in [
        "",
        "nonsense",
        "keys generate",
        "keys generate signing",
        "trust add-key mz.prm --draft d",
        "trust add-key mz.prm --draft d --signing a --sealing b",
        "trust new --country MZ --authority a --draft d",
        "trust revoke mz.prm key --draft d --reason whatever",
        "verify message.jws",
        "send draft.json --follow",
        "trace 00000000-0000-0000-0000-000000000000",
        "users create",
    ] {
        assert_eq!(desk.run(line).code, 2, "{line:?}");
    }
}

#[test]
fn roles_are_in_the_help_with_what_they_may_do() {
    let desk = TestFolder::new();
    let help = desk.ok("users create --help").stdout;
    for line in ["- liaison_officer:", "- supervisor:", "releases or returns the drafts of others"] {
        assert!(help.contains(line), "{line:?} is not in {help}");
    }
    desk.run("users roles maria --role officer").is(2, "liaison_officer");
}

#[test]
fn a_faulty_configuration_is_named() {
    let desk = TestFolder::new();
    desk.write("ctl.toml", "[gatway]\nurl = \"https://x\"\n");
    desk.run("--config ctl.toml inbox").is(2, "did you mean `gateway`");
    desk.run("--config nowhere.toml inbox").is(2, "nowhere.toml");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let script = format!("{} completions bash | head -1", env!("CARGO_BIN_EXE_rovumactl"));
    let ended =
        std::process::Command::new("bash").args(["-o", "pipefail", "-c", &script]).output().expect("runs");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}
