//! A service as a process: it starts, says how it is, and goes when it is told to.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rovuma_runtime::http::ConnectionLimits;

/// What is promised to whoever stops a service (architecture, section 9).
const PROMISED: Duration = Duration::from_secs(10);

struct Running {
    child: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("minimal.toml");
    std::fs::write(&path, text).expect("written");
    path
}

fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rovuma-minimal-service"));
    command.arg("--config").arg(config).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(text: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("a folder");
    command(&configuration(dir.path(), text)).args(args).output().expect("runs")
}

fn start(behaviour: &str) -> Running {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!("behaviour = \"{behaviour}\"\n[http]\nlisten = \"127.0.0.1:0\"\n");
    let mut child = command(&configuration(dir.path(), &text)).spawn().expect("starts");
    let mut address = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut address).expect("says its address");
    assert!(!address.is_empty(), "the service did not start: {}", stderr_of(&mut child));
    Running { child, address: address.trim().to_owned(), _dir: dir }
}

fn stderr_of(child: &mut Child) -> String {
    let mut text = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut text).expect("UTF-8");
    text
}

fn signal(running: &Running, name: &str) {
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill runs").success());
}

/// Waits for the end of the process; fails when it is still there after `limit`.
fn ends_within(running: &mut Running, limit: Duration) -> (Option<i32>, Duration) {
    let started = Instant::now();
    let status = loop {
        if let Some(status) = running.child.try_wait().expect("ours") {
            break status;
        }
        assert!(started.elapsed() < limit, "still running after {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    };
    (status.code(), started.elapsed())
}

#[test]
fn sigterm_ends_a_service_cleanly() {
    for name in ["-TERM", "-INT"] {
        let mut running = start("");
        signal(&running, name);
        let (code, _) = ends_within(&mut running, PROMISED);
        assert_eq!(code, Some(0), "{}", stderr_of(&mut running.child));
    }
}

#[test]
fn a_service_that_stays_is_gone_within_ten_seconds_and_says_what_stayed() {
    let mut running = start("stays");
    signal(&running, "-TERM");
    let (code, took) = ends_within(&mut running, PROMISED);
    assert_eq!(code, Some(1));
    assert!(took > Duration::from_secs(5), "it was given time to finish: {took:?}");
    let log = stderr_of(&mut running.child);
    assert!(log.contains("deaf") && log.contains("still running"), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut running = start("stays");
    signal(&running, "-TERM");
    let mut log = BufReader::new(running.child.stderr.take().expect("piped")).lines();
    assert!(log.any(|line| line.expect("UTF-8").contains("finishing the work in hand")));
    signal(&running, "-TERM");
    let (code, took) = ends_within(&mut running, PROMISED);
    assert_eq!(code, Some(1));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_task_that_panics_or_fails_ends_the_service() {
    for (behaviour, said) in [("panics", "lost its way"), ("fails", "nothing left to do")] {
        let mut running = start(behaviour);
        let (code, _) = ends_within(&mut running, PROMISED);
        assert_eq!(code, Some(1));
        let log = stderr_of(&mut running.child);
        assert!(log.contains(said), "{log}");
    }
}

#[test]
fn a_service_that_does_not_start_says_why() {
    let output = run("behaviour = \"refuses\"\n[http]\nlisten = \"127.0.0.1:0\"\n", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("will not start"));
}

#[test]
fn configuration_is_checked_without_starting() {
    let sound = run("[http]\nlisten = \"127.0.0.1:0\"\n", &["--check-config"]);
    assert_eq!(sound.status.code(), Some(0));
    let faulty = run("[http]\nlisten = \"127.0.0.1:0\"\nbehind_prox = true\n", &["--check-config"]);
    assert_eq!(faulty.status.code(), Some(1));
    let said = String::from_utf8_lossy(&faulty.stderr).into_owned();
    assert!(said.contains("http.behind_prox") && said.contains("did you mean `behind_proxy`"), "{said}");
}

#[test]
fn what_would_not_start_is_not_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    let readable = folder.path().join("readable.key");
    std::fs::write(&readable, "x").expect("written");
    let certified = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).expect("a certificate");
    let cert = folder.path().join("x.pem");
    std::fs::write(&cert, certified.cert.pem()).expect("written");
    let another = folder.path().join("another.key");
    let key = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    std::fs::write(&another, key).expect("written");
    std::fs::set_permissions(&another, std::fs::Permissions::from_mode(0o600)).expect("mode set");
    let pair = |cert: &Path, key: &Path| {
        format!(
            "[http]\nlisten = \"127.0.0.1:0\"\ntls = {{ cert_file = \"{}\", key_file = \"{}\" }}\n",
            cert.display(),
            key.display()
        )
    };
    let tls = |cert: &Path| pair(cert, &readable);
    let no_pair =
        format!("{} and the certificate {} do not belong together", another.display(), cert.display());
    let listen = "[http]\nlisten = \"127.0.0.1:0\"\n";
    for (text, said) in [
        ("[http]\nlisten = \"0.0.0.0:0\"\n".to_owned(), "not a loopback address"),
        (tls(&folder.path().join("none.pem")), "none.pem"),
        (tls(&cert), "chmod 600"),
        (pair(&cert, &another), no_pair.as_str()),
        (format!("behaviour = \"unsound\"\n{listen}"), "this cannot work"),
        (format!("{listen}[log]\nfilter = \"info,[\"\n"), "log.filter"),
        (
            format!("{listen}[telemetry]\notlp_endpoint = \"https://x\"\nca_file = \"/none.pem\"\n"),
            "telemetry.ca_file",
        ),
    ] {
        for arguments in [&["--check-config"][..], &[]] {
            let output = run(&text, arguments);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{arguments:?} {text}");
            assert!(stderr.contains(said), "{arguments:?} {text}: {stderr}");
        }
    }
}

#[test]
fn without_a_configuration_file_the_option_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_rovuma-minimal-service"))
        .env_remove("ROVUMA_CONFIG")
        .output()
        .expect("runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("give --config FILE") && stderr.contains("http"), "{stderr}");
    assert!(!stderr.contains("key ."), "{stderr}");
}

#[test]
fn wrong_options_end_with_2() {
    assert_eq!(run("", &["--nonsense"]).status.code(), Some(2));
}

/// A service with an admin listener, and the port of that listener.
fn start_with_admin() -> (Running, u16) {
    let dir = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let text = format!("[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:{port}\"\n");
    let child = command(&configuration(dir.path(), &text)).spawn().expect("starts");
    let mut running = Running { child, address: String::new(), _dir: dir };
    let stdout = running.child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut running.address).expect("says its address");
    running.address.truncate(running.address.trim_end().len());
    let _ = rustls::crypto::ring::default_provider().install_default();
    (running, port)
}

fn get(address: &str, path: &str) -> (u16, String) {
    let answer = reqwest::blocking::get(format!("http://{address}{path}")).expect("answers");
    (answer.status().as_u16(), answer.text().expect("UTF-8"))
}

#[test]
fn the_admin_listener_tells_health_and_metrics() {
    let (running, port) = start_with_admin();
    let admin = format!("127.0.0.1:{port}");
    assert_eq!(get(&admin, "/health/live").0, 200);
    let (_, metrics) = get(&admin, "/metrics");
    assert!(metrics.contains("rovuma_ready{check=\"start\"}"), "{metrics}");
    let (status, ready) = get(&admin, "/health/ready");
    assert!(ready.contains("\"name\":\"start\"") && ready.contains("\"since\""), "{status} {ready}");
    assert_eq!(get(&running.address, "/").1, "here");
}

#[test]
fn invented_methods_are_one_label() {
    const INVENTED: usize = 200;
    const LENGTH: usize = 100_000;
    let (running, port) = start_with_admin();
    for number in 0..INVENTED {
        let mut stream = std::net::TcpStream::connect(&running.address).expect("listens");
        let method = format!("{}{number}", "M".repeat(LENGTH));
        // The server may refuse a line of this length and close before it has read the whole.
        let _ = write!(stream, "{method} / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let admin = format!("127.0.0.1:{port}");
    let (_, metrics) = get(&admin, "/metrics");
    assert!(metrics.contains("method=\"other\""), "the invented methods were counted: {metrics}");
    assert!(metrics.len() < LENGTH, "/metrics has {} bytes", metrics.len());
}

#[test]
fn slow_callers_starve_neither_health_nor_for_long_the_service() {
    let (running, port) = start_with_admin();
    let slow = |_| {
        let mut stream = std::net::TcpStream::connect(&running.address).expect("listens");
        // The first byte of a long body.
        let _ = write!(stream, "POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000\r\n\r\nx");
        stream
    };
    let mut open: Vec<_> = (0..ConnectionLimits::API.per_address + 50).map(slow).collect();
    let admin = format!("127.0.0.1:{port}");
    let began = Instant::now();
    while !get(&admin, "/metrics").1.contains("rovuma_http_connections_refused_total{limit=\"address\"}") {
        assert!(began.elapsed() < PROMISED, "nothing was refused: {}", get(&admin, "/metrics").1);
    }
    assert_eq!(get(&admin, "/health/live").0, 200);
    let fuller = reqwest::blocking::get(format!("http://{}/", running.address));
    assert!(fuller.is_err(), "the service is full, and answered {fuller:?}");
    open.clear();
    let began = Instant::now();
    while reqwest::blocking::get(format!("http://{}/", running.address)).is_err() {
        assert!(began.elapsed() < PROMISED, "the limit does not become free");
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}
