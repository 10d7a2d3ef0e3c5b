//! Spans reach a collector when one is configured, and a collector that is away stops nothing.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// Takes one export and gives its request line and body.
fn collect(listener: &TcpListener) -> std::io::Result<(String, Vec<u8>)> {
    let (mut stream, _) = listener.accept()?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok((request, body))
}

fn service(endpoint: &str) -> (Child, String, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("minimal.toml");
    let text =
        format!("[http]\nlisten = \"127.0.0.1:0\"\n[telemetry]\notlp_endpoint = \"{endpoint}/v1/traces\"\n");
    std::fs::write(&config, text).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_rovuma-minimal-service"))
        .arg("--config")
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut address = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut address).expect("says its address");
    (child, address.trim().to_owned(), dir)
}

fn ask(address: &str) {
    let mut stream = TcpStream::connect(address).expect("connects");
    let request = format!(
        "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ntraceparent: 00-{TRACE_ID}-b7ad6b7169203331-01\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn terminate(child: &mut Child) -> Option<i32> {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    child.wait().expect("ours").code()
}

#[test]
fn a_request_span_joins_the_callers_trace_at_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", collector.local_addr().expect("bound"));
    let (sent, exports) = mpsc::channel();
    std::thread::spawn(move || {
        while let Ok(export) = collect(&collector) {
            if sent.send(export).is_err() {
                return;
            }
        }
    });
    let (mut child, address, _dir) = service(&endpoint);
    ask(&address);
    assert_eq!(terminate(&mut child), Some(0));
    let trace_id: Vec<u8> =
        (0..16).map(|i| u8::from_str_radix(&TRACE_ID[2 * i..2 * i + 2], 16).expect("hexadecimal")).collect();
    let joined = std::iter::from_fn(|| exports.recv_timeout(PATIENCE).ok()).any(|(request, body)| {
        assert!(request.starts_with("POST /v1/traces "), "{request}");
        body.windows(16).any(|window| window == trace_id)
    });
    assert!(joined, "no export named the caller's trace");
}

#[test]
fn a_collector_that_is_away_stops_nothing() {
    let (mut child, address, _dir) = service("http://127.0.0.1:9");
    ask(&address);
    assert_eq!(terminate(&mut child), Some(0));
}
