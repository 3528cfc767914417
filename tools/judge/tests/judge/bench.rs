//! Drivers to judge, and the judge as a user calls it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use netio_anycast_kit::{CDriver, Sources};
use serde_json::{Value, json};

/// Where the images are: the judge is run there.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge"));
/// The kit's tree, arranged once.
static KIT: LazyLock<PathBuf> = LazyLock::new(|| {
    let tree = FOLDER.join("wdk");
    netio_anycast_kit::arrange(&Sources::debian(), &tree).expect("the kit can be arranged");
    tree
});

/// The drivers that each break one rule on purpose, and their header.
const CONTROLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/simulated/controls");
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drivers");

/// Builds one of the controls. Returns its image's path for the judge.
pub(crate) fn control(name: &str) -> String {
    build(&Path::new(CONTROLS).join(name).with_extension("c"), name, Vec::new())
}

/// Builds one of this package's own drivers.
pub(crate) fn own(name: &str) -> String {
    build(&Path::new(OWN).join(name).with_extension("c"), name, Vec::new())
}

/// Builds the driver that calls Linux, which does `action` for each device control, as `name`.
pub(crate) fn linux_call(name: &str, action: &str) -> String {
    build(&Path::new(OWN).join("linux_call.c"), name, vec![format!("-DACTION={action}")])
}

fn build(source: &Path, name: &str, mut arguments: Vec<String>) -> String {
    static BUILT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let image = Path::new(name).join(name).with_extension("sys");
    // A build that failed has not harmed the others.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(name) {
        arguments.extend([format!("-I{CONTROLS}"), "-O1".to_owned(), "-Wno-unused-function".to_owned()]);
        let driver = CDriver { sources: vec![source.to_owned()], arguments };
        driver.build(&KIT, &FOLDER.join(&image)).unwrap_or_else(|error| panic!("{name}: {error}"));
        built.insert(name.to_owned());
    }
    image.display().to_string()
}

/// The bytes of an image that was built.
pub(crate) fn bytes(image: &str) -> Vec<u8> {
    fs::read(FOLDER.join(image)).expect("it was built")
}

/// Writes an image file. Returns its path for the judge.
pub(crate) fn write(name: &str, bytes: &[u8]) -> String {
    let path = Path::new("written").join(name);
    fs::create_dir_all(FOLDER.join("written")).expect("the folder can be made");
    fs::write(FOLDER.join(&path), bytes).expect("the file can be written");
    path.display().to_string()
}

/// A worker whose judge goes as soon as the driver is sent a device control: whether it ends before the time is over.
pub(crate) fn orphan_ends(image: &str, patience: Duration) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_judge"));
    command.arg("--worker").current_dir(&*FOLDER).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut worker = command.spawn().expect("a worker can be started");
    let task = json!({"Judge": {"image": image, "codes": [], "limit": {"secs": 1, "nanos": 0}}});
    let mut tasks = worker.stdin.take().expect("it is a pipe");
    writeln!(tasks, "{task}").expect("the worker listens");
    let mut lines = BufReader::new(worker.stdout.take().expect("it is a pipe")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("was sent control code")), "the worker has ended before");
    drop(tasks);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(lines.count()));
    let has_ended = ended.recv_timeout(patience).is_ok();
    // For the case that it has not.
    worker.kill().expect("a child can be killed");
    worker.wait().expect("a child can be waited for");
    has_ended
}

/// What the judge has printed, and its exit code.
pub(crate) struct Judged {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

/// Runs the judge.
pub(crate) fn judge(arguments: &[&str]) -> Judged {
    fs::create_dir_all(&*FOLDER).expect("the folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_judge")).args(arguments).current_dir(&*FOLDER).output();
    let output = output.expect("the judge can be started");
    let text = [output.stdout, output.stderr].concat();
    Judged { code: output.status.code(), text: masked(&String::from_utf8_lossy(&text)) }
}

/// The verdicts on images in JSON, each of which may take long on a busy machine, though its driver may not.
pub(crate) fn verdicts(images: &[String]) -> Vec<Value> {
    let arguments =
        ["--json", "--seconds", "60", "--call-seconds", "0.2"].into_iter().chain(images.iter().map(String::as_str));
    let judged = judge(&arguments.collect::<Vec<_>>());
    let verdicts: Vec<Value> = judged.text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(verdicts.len(), images.len(), "{}", judged.text);
    let all_clean = verdicts.iter().all(|verdict| verdict["verdict"] == "clean");
    assert_eq!(judged.code, Some(i32::from(!all_clean)), "{}", judged.text);
    verdicts
}

/// Text without what depends on the compiler or on where memory is: offsets in drivers, and long addresses.
fn masked(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let hides = masked.ends_with('+') || digits > 8;
        masked.push_str("0x");
        masked.push_str(if hides { "_" } else { &part[..digits] });
        masked.push_str(&part[digits..]);
    }
    masked
}
