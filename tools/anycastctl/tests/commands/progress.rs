//! The bar that `apply` shows on a terminal.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use anycastctl::console::Console;
use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::{OsError, PendingRequest, Returned, Transport};
use netio_model::Model;

use crate::fake::Fake;
use crate::in_process::{Handle, InProcessDriver, ethernet};
use crate::words;

/// What a terminal shows whenever the driver is sent a batch.
type Seen = Rc<RefCell<Vec<String>>>;

/// A handle to the driver that looks at the terminal.
struct Watching {
    handle: Handle,
    terminal: InMemoryTerm,
    seen: Seen,
}

impl Transport for Watching {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        if Operation::from_control_code(control_code) == Some(Operation::Apply) {
            self.seen.borrow_mut().push(self.terminal.contents());
        }
        self.handle.control(control_code, input, output)
    }

    fn begin<'a>(&'a self, code: u32, input: &[u8], length: usize) -> Result<Box<dyn PendingRequest + 'a>, OsError> {
        self.handle.begin(code, input, length)
    }
}

/// What a terminal shows at each request of an `apply` with these options, of so many addresses, and in the end.
fn seen(addresses: usize, options: &str) -> (Vec<String>, String) {
    const WIDTH: u16 = 40;
    let terminal = InMemoryTerm::new(10, WIDTH);
    assert_eq!(terminal.width(), WIDTH);
    let mut model = Model::new();
    model.add_interface(ethernet(5)).expect("the only interface");
    let (driver, seen) = (InProcessDriver::over(model), Seen::default());
    let (watched, looks) = (terminal.clone(), Rc::clone(&seen));
    let platform = Fake::with_device(move || {
        Box::new(Watching { handle: driver.open(), terminal: watched.clone(), seen: Rc::clone(&looks) })
    });
    let addresses: Vec<_> = (0..addresses).map(|number| format!("'10.0.{}.{}'", number / 256, number % 256)).collect();
    let file = format!("[[interface]]\nname = 5\naddresses = [{}]", addresses.join(", "));
    platform.contents.borrow_mut().insert("many.toml".into(), file.into());
    let (mut stdout, mut stderr) = (io::sink(), io::sink());
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut console = Console::new(&mut stdout, &mut stderr).with_progress(target);
    let exit_code = anycastctl::run(words(&format!("apply many.toml{options}")), Ok(&platform), &mut console);
    assert_eq!(exit_code, 0);
    let seen = seen.borrow().clone();
    (seen, terminal.contents())
}

/// The first request is sent before there is any progress.
#[test]
fn what_takes_several_requests_has_a_bar_that_goes_when_it_is_done() {
    let (seen, after) = seen(3000, "");
    let positions: Vec<&str> = seen.iter().map(|bar| bar.rsplit(' ').next().unwrap_or_default()).collect();
    assert_eq!(positions, ["", "1024/3000", "2048/3000"]);
    let [_, third, two_thirds] = &seen[..] else { panic!("{seen:?}") };
    let filled = |bar: &str| bar.matches('█').count();
    assert!(filled(third) > 0 && filled(two_thirds) > filled(third), "{seen:?}");
    assert_eq!(after, "");
}

#[test]
fn what_one_request_does_has_none() {
    assert_eq!(seen(1024, ""), (vec![String::new()], String::new()));
    assert_eq!(seen(3000, " --atomic"), (vec![String::new()], String::new()));
}

#[test]
fn programs_that_read_json_get_none() {
    assert_eq!(seen(3000, " --json"), (vec![String::new(); 3], String::new()));
}
