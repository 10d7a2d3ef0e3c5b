//! Logging in, as far as it can be tried with no provider.

use crate::harness::Desk;

#[test]
fn the_provider_must_be_known() {
    Desk::new().run("login").is(2, "--issuer");
    Desk::new().run("whoami").is(2, "--issuer");
}

#[test]
fn a_provider_that_is_away_is_unreachable() {
    Desk::new().run("login --issuer http://127.0.0.1:9").is(4, "identity provider");
}

#[test]
fn a_provider_in_clear_text_is_refused() {
    Desk::new().run("login --issuer http://id.mz.example").is(2, "not encrypted");
}

#[test]
fn nobody_is_logged_in_at_first() {
    let desk = Desk::new();
    desk.run("whoami --issuer http://127.0.0.1:9").is(6, "rovumactl login");
    desk.run("logout --issuer http://127.0.0.1:9").is(0, "was not logged in");
}

#[test]
fn a_secret_that_everybody_can_read_is_refused_before_it_is_sent() {
    let desk = Desk::new();
    desk.write("secret", "s\n");
    let ended =
        desk.run("login --issuer http://127.0.0.1:9 --client-id mz.prm.cad --client-secret-file secret");
    ended.is(2, "chmod 600");
}
