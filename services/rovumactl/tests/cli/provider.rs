//! A small OpenID Connect provider for one log-in, over plain HTTP on the loopback address.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::json;
use url::Url;

/// How the provider should behave.
#[derive(Clone, Default)]
pub(crate) struct ProviderBehaviour {
    /// An issuer to state instead of its own.
    pub(crate) calls_itself: Option<&'static str>,
    /// Gives refresh tokens, each good once: `r1`, `r2`…, and ends the log-in at the second use of one.
    pub(crate) renews: bool,
    /// The life of each access token in seconds; 600 if not given.
    pub(crate) life_s: Option<u64>,
    /// What is wrong when a log-in is renewed.
    pub(crate) renewal_fault: Option<RenewalFault>,
}

/// What is wrong when a log-in is renewed.
#[derive(Clone, Copy)]
pub(crate) enum RenewalFault {
    /// The answer does not arrive.
    Lost,
    /// The provider refuses with this code (RFC 6749 §5.2), and uses no token up.
    Refused(&'static str),
    /// The new token is another person's.
    OtherPerson,
}

/// A running provider: its issuer, and the requests to its token endpoint.
pub(crate) struct TestProvider {
    pub(crate) issuer: String,
    pub(crate) asked: Arc<Mutex<Vec<TokenRequest>>>,
}

/// A request for a token.
#[derive(Clone, Debug)]
pub(crate) struct TokenRequest {
    pub(crate) form: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
}

/// The token of another person, `u2`.
const OTHER_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MiIsImFnZW5jeSI6Im16LnBybSJ9.c2ln";

/// The token that it issues, with the claims `{"sub":"u1","name":"Maria","agency":"mz.prm","roles":["auditor"]}`.
pub(crate) const TOKEN: &str = "eyJhbGciOiJub25lIn0.\
eyJzdWIiOiJ1MSIsIm5hbWUiOiJNYXJpYSIsImFnZW5jeSI6Im16LnBybSIsInJvbGVzIjpbImF1ZGl0b3IiXX0.c2ln";

impl TestProvider {
    pub(crate) fn start(behaviour: ProviderBehaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (own, log) = (issuer.clone(), Arc::clone(&asked));
        std::thread::spawn(move || {
            // The number of the newest refresh token; `None` when the log-in has ended.
            let mut newest = Some(0);
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = answer(stream, &own, &behaviour, &log, &mut newest);
            }
        });
        Self { issuer, asked }
    }
}

fn answer(
    mut stream: TcpStream,
    issuer: &str,
    behaviour: &ProviderBehaviour,
    log: &Mutex<Vec<TokenRequest>>,
    newest: &mut Option<u64>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a number"),
            "authorization" => authorization = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut status = "200 OK";
    let json = if request.starts_with("GET /.well-known/openid-configuration") {
        json!({
            "issuer": behaviour.calls_itself.unwrap_or(issuer),
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "revocation_endpoint": format!("{issuer}/revoke"),
        })
    } else {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        let is_renewal = form.get("grant_type").is_some_and(|grant| grant == "refresh_token");
        let fault = behaviour.renewal_fault.filter(|_| is_renewal);
        if let Some(token) =
            form.get("refresh_token").filter(|_| !matches!(fault, Some(RenewalFault::Refused(_))))
        {
            *newest = newest.filter(|number| *token == format!("r{number}"));
        }
        log.lock().expect("not poisoned").push(TokenRequest { form, authorization });
        let mut tokens = json!({ "token_type": "Bearer", "expires_in": behaviour.life_s.unwrap_or(600) });
        match newest {
            _ if matches!(fault, Some(RenewalFault::Lost)) => return Ok(()),
            _ if let Some(RenewalFault::Refused(code)) = fault => {
                status = "400 Bad Request";
                tokens = json!({ "error": code });
            }
            Some(number) if behaviour.renews => {
                *number += 1;
                let of_other = matches!(fault, Some(RenewalFault::OtherPerson));
                let token = if of_other { OTHER_TOKEN } else { TOKEN };
                tokens["access_token"] = json!(format!("{token}{number}"));
                tokens["refresh_token"] = json!(format!("r{number}"));
            }
            Some(_) => tokens["access_token"] = json!(TOKEN),
            None => {
                status = "400 Bad Request";
                tokens = json!({ "error": "invalid_grant" });
            }
        }
        tokens
    };
    let json = json.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}",
        json.len()
    )
}

/// The parameters of the authorization request that the browser would be sent to.
pub(crate) fn parameters(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}
