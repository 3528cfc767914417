//! What a driver has of the system beside its device: callback objects, threads, work items, traces, the registry, the shutdown. The
//! driver is `controls/clean_services.c`.

use std::collections::BTreeMap;

use kernel_sim::{
    Caller, DesiredAccess, Driver, Faults, Guid, Handle, Kernel, LoadError, Options, Registry, Work, interleave,
};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

const NAME: &str = "clean_services";
const PROVIDER: Guid = Guid::from_u128(0xA0A1_A2A3_B0B1_C0C1_D0D1_D2D3_D4D5_D6D7);

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn parameters() -> Registry {
    const SZ: u32 = 1;
    const DWORD: u32 = 4;
    let values = BTreeMap::from([
        ("Limit".to_owned(), (DWORD, 42_u32.to_le_bytes().to_vec())),
        ("Greeting".to_owned(), (SZ, utf16("hello"))),
    ]);
    Registry::from([(format!(r"\Registry\Machine\System\CurrentControlSet\Services\{NAME}\Parameters"), values)])
}

fn load(options: Options) -> (Kernel, Driver) {
    let kernel = kernel(options);
    let driver = kernel.load(&build::image(NAME), NAME).expect("the driver loads");
    (kernel, driver)
}

fn open(kernel: &Kernel) -> Handle {
    kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it can be opened")
}

/// The limit from the registry, the level of the trace, and the length of the greeting, as the driver has them.
fn ask(handle: &Handle) -> [i32; 3] {
    let reply = handle.control(CONTROL, &[], 12);
    assert_eq!(reply.status, NtStatus::SUCCESS);
    let words = reply.output.chunks_exact(4).map(|word| i32::from_le_bytes(word.try_into().expect("four bytes")));
    words.collect::<Vec<_>>().try_into().expect("three words")
}

#[test]
fn a_driver_reads_its_parameters_or_has_its_defaults() {
    for (registry, expected) in [(parameters(), [42, -1, 10]), (Registry::new(), [0, -1, 0])] {
        let (kernel, driver) = load(Options { registry, ..Options::default() });
        assert_eq!(ask(&open(&kernel)), expected);
        assert!(driver.unload());
        kernel.assert_clean();
    }
}

#[test]
fn who_listens_gets_every_event_that_is_written_and_wanted() {
    let (kernel, driver) = load(Options { registry: parameters(), ..Options::default() });
    let handle = open(&kernel);
    let verbose = kernel.trace(PROVIDER, 5, 0b10);
    let (errors_only, others) = (kernel.trace(PROVIDER, 2, 0b10), kernel.trace(PROVIDER, 5, 0b100));
    assert_eq!(ask(&handle)[1], 5, "the driver knows the highest level that is wanted");
    let [event, transfer] = verbose.take().try_into().expect("two events");
    assert_eq!((event.descriptor.id, event.descriptor.level, event.descriptor.keyword), (7, 4, 2));
    assert_eq!(event.data(), [42_u32.to_le_bytes().to_vec(), utf16("text")].concat());
    assert_eq!((transfer.activity, transfer.related, transfer.items.len()), (Some(PROVIDER), None, 0));
    assert!(errors_only.take().is_empty() && others.take().is_empty() && verbose.take().is_empty());
    drop((verbose, errors_only, others));
    assert_eq!(ask(&handle)[1], -1, "nobody listens");
    handle.close();
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn whoever_listened_before_the_driver_was_there_is_heard_of_too() {
    let kernel = kernel(Options::default());
    let trace = kernel.trace(PROVIDER, 4, u64::MAX);
    let driver = kernel.load(&build::image(NAME), NAME).expect("the driver loads");
    assert_eq!(ask(&open(&kernel))[1], 4);
    assert_eq!(trace.take().len(), 2);
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn notifications_of_callback_objects_are_told() {
    let (kernel, driver) = load(Options::default());
    ask(&open(&kernel));
    assert_eq!(kernel.notifications(), [(r"\Callback\Control".to_owned(), [3, 0])]);
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn a_driver_that_wants_to_know_is_told_that_the_system_shuts_down() {
    let (kernel, driver) = load(Options::default());
    kernel.shut_down();
    let judged = kernel.judgements();
    assert!(judged.iter().any(|it| it.activity.to_string() == "IRP_MJ_SHUTDOWN"), "{judged:?}");
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn whatever_fails_nothing_is_left() {
    let sites = Faults::at_every_site(|faults| {
        let kernel = kernel(Options { faults: faults.clone(), registry: parameters(), ..Options::default() });
        let trace = kernel.trace(PROVIDER, 5, u64::MAX);
        match kernel.load(&build::image(NAME), NAME) {
            Ok(driver) => {
                let loaded = faults.struck().is_none();
                let status = open(&kernel).control(CONTROL, &[], 12).status;
                assert_eq!(status == NtStatus::SUCCESS, faults.struck().is_none(), "{:?}", faults.struck());
                assert!(loaded && driver.unload());
            }
            Err(error) => assert!(matches!(error, LoadError::DriverEntry(_)) && faults.struck().is_some(), "{error}"),
        }
        drop(trace);
        assert!(kernel.devices().is_empty());
        kernel.assert_clean();
    });
    let services: std::collections::BTreeSet<_> = sites.iter().map(|site| site.service).collect();
    let expected = [
        "EtwRegister",
        "EtwWrite",
        "EtwWriteTransfer",
        "ExAllocatePoolWithTag",
        "ExCreateCallback",
        "ExRegisterCallback",
        "IoCreateDevice",
        "IoCreateNotificationEvent",
        "IoCreateSymbolicLink",
        "IoRegisterShutdownNotification",
        "PsCreateSystemThread",
        "RtlQueryRegistryValues",
        "ZwEnumerateValueKey",
        "ZwOpenKey",
    ];
    assert_eq!(services.into_iter().collect::<Vec<_>>(), expected);
}

/// The callback is a driver's code, which is gone when EtwUnregister has returned and the driver has.
#[test]
fn a_driver_may_go_while_it_is_told_who_listens() {
    for seed in 0..200 {
        let (kernel, driver) = load(Options::default());
        let listen: Work<'_> = Box::new(|| drop(kernel.trace(PROVIDER, 5, u64::MAX)));
        let go: Work<'_> = Box::new(|| assert!(driver.unload(), "seed {seed}: nobody has it open"));
        interleave(seed, vec![listen, go]);
        kernel.assert_clean();
    }
}

#[test]
fn threads_and_work_items_end_whatever_the_schedule() {
    for seed in 0..200 {
        let (kernel, driver) = load(Options::default());
        let use_it = || -> Work<'_> {
            Box::new(|| {
                ask(&open(&kernel));
            })
        };
        interleave(seed, vec![use_it(), use_it()]);
        assert!(driver.unload(), "seed {seed}");
        kernel.assert_clean();
    }
}
