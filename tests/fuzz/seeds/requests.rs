//! Seeds of the HTTP targets: one request for every route, and some that are refused.

use rovuma_fuzz::http_identity;

use crate::{examples, seed};

pub(crate) fn write() {
    gateway();
    identity();
    audit();
}

/// Writes requests. `who` is the caller of those that do not name one.
fn write_all(target: &str, who: &str, requests: &[(&str, &str)]) {
    for (name, text) in requests {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let caller = if head.contains("\nas:") { String::new() } else { format!("\nas: {who}") };
        seed(target, name, format!("{head}{caller}\n\n{body}").as_bytes());
    }
}

fn example(name: &str) -> String {
    let found = examples("valid").into_iter().find(|(stem, _)| stem == name).expect("an example");
    String::from_utf8(found.1).expect("a text")
}

fn gateway() {
    let (motorcycle, person) = (example("alert-stolen-motorcycle"), example("alert-missing-person"));
    let json = "\ncontent-type: application/json";
    let key = "\nidempotency-key: 7b3e-7003";
    let supervisor = "\nas: supervisor@mz.prm\nif-match: \"2\"";
    let bodies = [
        ("create", format!("POST /v1/drafts{json}{key}\n\n{motorcycle}")),
        ("create-by-machine", format!("POST /v1/drafts{json}\nas: agency_system@mz.prm\n\n{person}")),
        ("send", format!("POST /v1/messages{json}{key}\n\n{motorcycle}")),
        ("send-by-one", format!("POST /v1/messages{json}\n\n{person}")),
        ("create-incomplete", format!("POST /v1/drafts{json}\n\n{{\"type\":\"alert.issue\"}}")),
        ("validate", format!("POST /v1/drafts/validate{json}\naccept-language: pt-MZ;q=0.8,sw\n\n{person}")),
        ("validate-nothing", format!("POST /v1/drafts/validate{json}\n\n{{}}")),
        ("validate-other-language", format!("POST /v1/drafts/validate{json}\naccept-language: sw\n\n[]")),
        ("change", format!("PUT /v1/drafts/{{draft}}{json}\nif-match: \"1\"\n\n{person}")),
        (
            "return",
            format!(
                "POST /v1/drafts/{{submitted}}/return{json}{supervisor}\n\n{{\"reason\":\"name the vessel\"}}"
            ),
        ),
        ("release-by-second", format!("POST /v1/drafts/{{submitted}}/release{supervisor}")),
    ];
    let bodies: Vec<(&str, &str)> = bodies.iter().map(|(name, text)| (*name, text.as_str())).collect();
    write_all("http_gateway", "liaison_officer@mz.prm", &bodies);
    write_all(
        "http_gateway",
        "liaison_officer@mz.prm",
        &[
            ("drafts", "GET /v1/drafts?state=draft&mine=true&limit=1"),
            ("draft", "GET /v1/drafts/{draft}"),
            ("discard", "DELETE /v1/drafts/{draft}\nif-match: \"1\""),
            ("submit", "POST /v1/drafts/{draft}/submit"),
            ("release", "POST /v1/drafts/{draft}/release\nidempotency-key: 1"),
            (
                "inbox",
                "GET /v1/inbox?type=alert.issue&facet=vehicle&status=exercise&sender=tz.tpf&unread=true\
                 &disposition=operative&created_from=2026-01-01T00%3A00%3A00Z&limit=1",
            ),
            ("sent", "GET /v1/sent?recipient=tz.tpf&state=queued&created_until=2027-01-01T00:00:00Z&limit=1"),
            ("message", "GET /v1/messages/{received}?view=metadata&sender=tz.tpf"),
            ("message-by-auditor", "GET /v1/messages/{sent}?reason=AZ-17/26\nas: auditor@mz.prm"),
            ("mark-read", "POST /v1/messages/{received}/read?sender=tz.tpf"),
            ("trace", "GET /v1/messages/{sent}/trace"),
            ("jws", "GET /v1/messages/{sent}/jws"),
            ("streams", "GET /v1/streams\nas: auditor@mz.node"),
            ("held", "GET /v1/held?limit=200&cursor=AAAA\nas: agency_admin@mz.prm"),
            ("quarantine", "GET /v1/quarantine?limit=1\nas: agency_admin@mz.node"),
            ("alarms", "GET /v1/alarms\nas: supervisor@mz.prm"),
            ("trust", "GET /v1/trust\nas: auditor@mz.node"),
            ("agencies", "GET /v1/agencies"),
            ("codes", "GET /v1/codes/legal_bases?lang=sw"),
            ("events", "GET /v1/events?after=0&limit=200"),
            ("live", "GET /v1/events/live\nlast-event-id: 0"),
            ("nobody", "GET /v1/inbox\nauthorization: Bearer e30.e30.AA\nas: none"),
            ("abroad", "GET /v1/inbox\nas: liaison_officer@tz.tpf"),
            ("nothing-there", "PATCH /v1/drafts"),
        ],
    );
}

fn identity() {
    let query = "client_id=console&redirect_uri=https%3A%2F%2Fconsole.mz.example%2Fback&state=s%3Cfuzz%3E1\
         &response_type=code&scope=openid+profile&nonce=n1&ui_locales=pt-MZ&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let form = "\ncontent-type: application/x-www-form-urlencoded";
    let json = "\ncontent-type: application/json";
    let assertion = http_identity::assertion();
    let bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let requests = [
        ("authorize", format!("GET /oauth2/authorize?{query}\nas: none")),
        (
            "authorize-loopback",
            format!(
                "GET /oauth2/authorize?{}\nas: none",
                query.replace("client_id=console", "client_id=rovumactl").replace(
                    "https%3A%2F%2Fconsole.mz.example%2Fback",
                    "http%3A%2F%2F127.0.0.1%3A49152%2Fcallback"
                )
            ),
        ),
        (
            "authorize-elsewhere",
            format!("GET /oauth2/authorize?{}\nas: none", query.replace("%2Fback", "%2Fbeck")),
        ),
        (
            "authorize-token",
            format!("GET /oauth2/authorize?{}\nas: none", query.replace("type=code", "type=token")),
        ),
        (
            "login",
            format!(
                "POST /oauth2/authorize?{query}{form}\nas: none\n\nlogin=ana.tembe&password=x&token=%3Cfuzz%3E"
            ),
        ),
        (
            "token-code",
            format!(
                "POST /oauth2/token{form}\nas: none\n\ngrant_type=authorization_code&code=AAAA\
            &redirect_uri=https%3A%2F%2Fconsole.mz.example%2Fback&client_id=console\
            &client_secret=0123456789abcdef0123456789abcdef\
            &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            ),
        ),
        (
            "token-machine",
            format!(
                "POST /oauth2/token{form}\nas: none\n\ngrant_type=client_credentials\
            &client_id=mz.prm.cad&client_secret={{secret}}&scope=openid"
            ),
        ),
        (
            "token-basic",
            format!(
                "POST /oauth2/token{form}\nauthorization: Basic Y29uc29sZTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\
            \nas: none\n\ngrant_type=authorization_code&code=AAAA"
            ),
        ),
        (
            "token-assertion",
            format!(
                "POST /oauth2/token{form}\nas: none\n\ngrant_type=client_credentials\
            &client_assertion_type={bearer}&client_assertion={assertion}"
            ),
        ),
        (
            "token-twice",
            format!(
                "POST /oauth2/token{form}\nas: none\nx-forwarded-for: 6.6.6.6, 10.0.0.9\n\ngrant_type=a&grant_type=b"
            ),
        ),
        (
            "user-create",
            format!(
                "POST /v1/users{json}\n\n{{\"login\":\"li.wei\",\"name\":\"Li Wei\",\"roles\":[\"analyst\",\"supervisor\"]}}"
            ),
        ),
        (
            "user-create-faulty",
            format!(
                "POST /v1/users{json}\n\n{{\"login\":\"J\",\"name\":\"\",\"roles\":[\"king\",\"agency_system\"]}}"
            ),
        ),
        (
            "user-change",
            format!("PATCH /v1/users/{{user}}{json}\n\n{{\"name\":\"Ana T.\",\"disabled\":true}}"),
        ),
        ("user-roles", format!("PUT /v1/users/{{user}}/roles{json}\n\n{{\"roles\":[\"analyst\"]}}")),
        (
            "client-create",
            format!(
                "POST /v1/clients{json}\n\n{{\"id\":\"mz.prm.van\",\"name\":\"Van\",\"roles\":[\"watchlist_service\"],\
            \"jwks\":{{\"keys\":[{{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}]}}}}"
            ),
        ),
        (
            "client-change",
            format!("PATCH /v1/clients/mz.prm.cad{json}\n\n{{\"name\":\"Dispatch 2\",\"disabled\":false}}"),
        ),
    ];
    let requests: Vec<(&str, &str)> = requests.iter().map(|(name, text)| (*name, text.as_str())).collect();
    write_all("http_identity", "agency_admin@mz.prm", &requests);
    write_all(
        "http_identity",
        "agency_admin@mz.prm",
        &[
            ("discovery", "GET /.well-known/openid-configuration\nas: none"),
            ("jwks", "GET /oauth2/jwks.json\nas: none"),
            ("userinfo", "GET /oauth2/userinfo\nas: liaison_officer@mz.prm"),
            ("users", "GET /v1/users?limit=1"),
            ("user", "GET /v1/users/{user}"),
            ("user-abroad", "GET /v1/users/{user}\nas: agency_admin@mz.senami"),
            ("clients", "GET /v1/clients?limit=1&cursor=bXo"),
            ("client", "GET /v1/clients/mz.prm.cad"),
            ("client-secret", "POST /v1/clients/mz.prm.cad/secret"),
        ],
    );
}

fn audit() {
    write_all(
        "http_audit",
        "auditor@mz.prm",
        &[
            ("events", "GET /v1/events?limit=1"),
            ("oldest", "GET /v1/events?order=oldest&limit=2&outcome=success"),
            (
                "all-filters",
                "GET /v1/events?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z&actor=officer-1\
                &agency=mz.prm&action=message.read&object_kind=message&object=0199c5a1-7b3e-7001-8a10-000000000001\
                &message=0199c5a1-7b3e-7001-8a10-000000000001&source=mz.gateway&limit=200",
            ),
            ("cursor", "GET /v1/events?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("unknown-filter", "GET /v1/events?agent=x"),
            ("limit-0", "GET /v1/events?limit=0"),
            ("other-agency", "GET /v1/events?agency=mz.senami"),
            ("national", "GET /v1/events?agency=mz.node\nas: auditor@mz.node"),
            ("event", "GET /v1/events/mz.gateway/{epoch}/1"),
            ("event-missing", "GET /v1/events/mz.gateway/{epoch}/18446744073709551615"),
            ("event-twisted", "GET /v1/events/%2e%2e/{epoch}/-1"),
            ("sources", "GET /v1/sources\nas: auditor@mz.node"),
            ("officer", "GET /v1/events\nas: liaison_officer@mz.prm"),
            ("nobody", "GET /v1/sources\nauthorization: Bearer e30.e30.AA\nas: none"),
        ],
    );
}
