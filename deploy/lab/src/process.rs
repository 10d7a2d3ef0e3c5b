//! Child processes that never outlive this one.
//!
//! They run in a process group of their own, so that Ctrl-C reaches only this process, which then stops them in
//! order. The kernel signals them when this process dies (`setpriv --pdeathsig`, of util-linux). It does so
//! when the *thread* that started them ends, so one thread that lives as long as the process starts them all.

use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// How often a process that was asked to end is checked.
const POLL: Duration = Duration::from_millis(50);

/// A child process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts `command` with its output going to `log`, which each start truncates.
    ///
    /// # Errors
    /// When the log cannot be created or the program cannot be started.
    pub fn start(name: &str, command: &Command, log: &Path) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("opening {}", log.display()))?;
        let mut guarded = guarded(command);
        guarded.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let child = start_on_keeper(guarded)
            .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, once it has ended.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks the process to end (SIGTERM).
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks the process to end and waits for at most `grace`; then kills it.
    ///
    /// Returns its exit status, or `None` when it had to be killed.
    pub async fn stop(&mut self, grace: Duration) -> Option<ExitStatus> {
        self.ask_to_end();
        let give_up_at = Instant::now() + grace;
        while Instant::now() < give_up_at {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            tokio::time::sleep(POLL).await;
        }
        self.kill();
        None
    }

    /// Kills the process (SIGKILL) and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        // This process has not waited for the child yet, so its id cannot have been given to another.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Continues only if the parent is still there: it may have died before the kernel was told to signal the
/// child.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] || exit 1; exec "$@""#;

/// The same command run by `setpriv`, if that is installed.
fn guarded(command: &Command) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    let mut guarded = if Path::new(SETPRIV).exists() {
        let mut guarded = Command::new(SETPRIV);
        guarded.args(["--pdeathsig", "TERM", "--", "/bin/sh", "-c", UNLESS_ORPHANED]);
        guarded.arg(std::process::id().to_string()).arg(command.get_program());
        guarded
    } else {
        Command::new(command.get_program())
    };
    guarded.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guarded.current_dir(folder);
    }
    guarded
}

type SpawnJob = (Command, mpsc::Sender<std::io::Result<Child>>);

fn start_on_keeper(command: Command) -> std::io::Result<Child> {
    static KEEPER: OnceLock<mpsc::Sender<SpawnJob>> = OnceLock::new();
    let keeper = KEEPER.get_or_init(|| {
        let (jobs, queue) = mpsc::channel::<SpawnJob>();
        std::thread::spawn(move || {
            for (mut command, answer) in queue {
                let _ = answer.send(command.spawn());
            }
        });
        jobs
    });
    let (answer, outcome) = mpsc::channel();
    let gone = |_| std::io::Error::other("the thread that starts processes is gone");
    keeper.send((command, answer)).map_err(|_| gone(()))?;
    outcome.recv().map_err(|_| gone(()))?
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    fn sleeper(folder: &Path) -> Process {
        let mut command = Command::new("sleep");
        command.arg("600");
        Process::start("sleeper", &command, &folder.join("log")).expect("started")
    }

    #[tokio::test]
    async fn a_process_ends_when_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = sleeper(folder.path());
        assert!(process.exited().is_none());
        assert!(process.stop(Duration::from_secs(10)).await.is_some());
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let process = sleeper(folder.path());
        let pid = process.pid();
        drop(process);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }

    /// Whether it runs, and is not a zombie (proc(5), field `state`).
    fn is_running(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    }

    const TO_BE_KILLED: &str = "ROVUMA_LAB_TO_BE_KILLED";

    /// Not a test by itself: the next test runs it and kills it.
    #[test]
    fn a_parent_to_be_killed() {
        if let Some(folder) = std::env::var_os(TO_BE_KILLED) {
            let process = sleeper(Path::new(&folder));
            println!("\nstarted {}", process.pid());
            std::thread::park();
        }
    }

    #[test]
    fn a_process_does_not_outlive_a_parent_that_is_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut parent = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "process::tests::a_parent_to_be_killed", "--nocapture"])
            .env(TO_BE_KILLED, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let said = BufReader::new(parent.stdout.take().expect("piped")).lines();
        let pid = said.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("started ")?.to_owned()));
        let pid = pid.expect("its child's id");
        assert!(is_running(&pid));
        parent.kill().expect("killed");
        parent.wait().expect("gone");
        let give_up_at = Instant::now() + Duration::from_secs(10);
        while is_running(&pid) {
            assert!(Instant::now() < give_up_at, "the child outlived its parent");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn the_end_of_the_thread_that_asked_does_not_end_the_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let mut process = std::thread::spawn(move || sleeper(&path)).join().expect("started");
        assert!(process.exited().is_none());
    }
}
