//! The model through its control codes.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::control::wire::{
    self, ConfigureRequest, EntriesHeader, FaultRequest, InterfaceRequest, LuidRequest, Name, PopulateRequest,
    StateReply,
};
use netio_model::control::{Command, Completion, serve};
use netio_model::{Families, Fault, Function, Interface, Model, Settings};
use zerocopy::{FromBytes, Immutable, IntoBytes};

const LUID: Luid = Luid::new(6, 1);

/// Sends a command with this input and room for `room` bytes of output.
fn send(model: &mut Model, command: Command, input: &[u8], room: usize) -> (NtStatus, Vec<u8>) {
    let mut buffer = vec![0xEE; input.len().max(room)];
    buffer[..input.len()].copy_from_slice(input);
    let Completion { status, information } = serve(model, command, &mut buffer, input.len(), room);
    assert!(information <= room, "no more is returned than there is room for");
    buffer.truncate(information);
    (status, buffer)
}

fn change(model: &mut Model, command: Command, input: &(impl IntoBytes + Immutable)) -> NtStatus {
    let (status, output) = send(model, command, input.as_bytes(), 0);
    assert!(output.is_empty());
    status
}

fn state(model: &mut Model) -> StateReply {
    let (status, output) = send(model, Command::QueryState, &[], size_of::<StateReply>());
    assert_eq!(status, NtStatus::SUCCESS);
    StateReply::read_from_bytes(&output).expect("the output is a state")
}

fn interface() -> InterfaceRequest {
    Interface { luid: LUID, index: 1, families: Families::all(), scope_id: 5 }.into()
}

fn populated(count: u32) -> Model {
    let mut model = Model::new();
    assert_eq!(change(&mut model, Command::AddInterface, &interface()), NtStatus::SUCCESS);
    let family = AddressFamily::IPV6;
    let request = PopulateRequest { luid: LUID, family, reserved: 0, first: 0x100, count, reserved2: 0 };
    assert_eq!(change(&mut model, Command::Populate, &request), NtStatus::SUCCESS);
    model
}

#[test]
fn a_code_names_one_command() {
    for command in Command::ALL {
        assert_eq!(Command::from_control_code(command.control_code()), Some(command));
    }
    assert_eq!(Command::from_control_code(Command::Reset.control_code() | 3), None, "another method is another code");
}

#[test]
fn the_model_is_arranged_and_read() {
    let mut model = populated(3);
    let row = Row::on_luid("192.0.2.1".parse().expect("an address"), LUID);
    assert_eq!(change(&mut model, Command::Insert, &row), NtStatus::SUCCESS);
    assert_eq!(change(&mut model, Command::Remove, &row), NtStatus::SUCCESS);
    assert_eq!(change(&mut model, Command::Remove, &row), NtStatus::NOT_FOUND);
    assert_eq!(model.create(&row), NtStatus::SUCCESS);
    let mut calls = [0; 7];
    calls[Function::Create as usize] = 1;
    assert_eq!(state(&mut model), StateReply { calls, entries: 4, interfaces: 1, ..StateReply::default() });

    assert_eq!(change(&mut model, Command::RemoveInterface, &LuidRequest { luid: LUID }), NtStatus::SUCCESS);
    assert_eq!(change(&mut model, Command::RemoveInterface, &LuidRequest { luid: LUID }), NtStatus::NOT_FOUND);
    assert_eq!(state(&mut model).entries, 0);
    assert_eq!(change(&mut model, Command::Reset, &()), NtStatus::SUCCESS);
    assert_eq!(state(&mut model), StateReply::default());
}

#[test]
fn settings_and_faults_arrive() {
    let mut model = populated(1);
    let settings = Settings {
        stacks: Families::IPV6,
        duplicate: NtStatus::OBJECTID_EXISTS,
        empty_table: NtStatus::SUCCESS,
        unknown_interface_conversion: NtStatus::NOT_FOUND,
    };
    assert_eq!(change(&mut model, Command::Configure, &ConfigureRequest::from(settings)), NtStatus::SUCCESS);
    assert_eq!(model.settings(), settings);

    let fault = Fault::next(Function::Get, NtStatus::NO_MEMORY).on(LUID).after(1).times(2);
    assert_eq!(change(&mut model, Command::PlanFault, &FaultRequest::from(fault)), NtStatus::SUCCESS);
    assert_eq!(state(&mut model).remaining_faults, 2);
    let address = wire::populated_address(AddressFamily::IPV6, 0x100).expect("such an address exists");
    let statuses = [0; 4].map(|_| model.get(&mut Row::on_luid(address, LUID)));
    assert_eq!(statuses, [NtStatus::SUCCESS, NtStatus::NO_MEMORY, NtStatus::NO_MEMORY, NtStatus::SUCCESS]);

    assert_eq!(change(&mut model, Command::PlanFault, &FaultRequest::from(fault)), NtStatus::SUCCESS);
    assert_eq!(change(&mut model, Command::ClearFaults, &()), NtStatus::SUCCESS);
    assert_eq!(state(&mut model).remaining_faults, 0);
}

#[test]
fn entries_are_read_as_far_as_they_fit() {
    let mut model = populated(3);
    let header = size_of::<EntriesHeader>();
    let row = size_of::<Row>();
    for (room, count) in [(header, 0), (header + row - 1, 0), (header + 2 * row, 2), (header + 3 * row, 3), (4096, 3)] {
        let (status, output) = send(&mut model, Command::ReadEntries, &[], room);
        let expected = if count == 3 { NtStatus::SUCCESS } else { NtStatus::BUFFER_OVERFLOW };
        assert_eq!((status, output.len()), (expected, header + count * row));
        let (read, rows) = EntriesHeader::read_from_prefix(&output).expect("a header");
        assert_eq!((read.count as usize, read.total), (count, 3));
        for (number, bytes) in (0x100..).zip(rows.chunks(row)) {
            let row = Row::read_from_bytes(bytes).expect("a row");
            assert_eq!(row.address.ip(), wire::populated_address(AddressFamily::IPV6, number));
            assert_eq!((row.luid, row.index, row.scope_id), (LUID, 1, 5));
        }
    }
    assert_eq!(send(&mut model, Command::ReadEntries, &[], header - 1), (NtStatus::BUFFER_TOO_SMALL, vec![]));
}

#[test]
fn malformed_commands_are_refused_and_change_nothing() {
    let mut model = populated(1);
    let before = state(&mut model);
    let fault = FaultRequest::from(Fault::next(Function::Get, NtStatus::NO_MEMORY));
    let same_interface = interface();
    let unknown_function = FaultRequest { function: 7, ..fault };
    let unknown_family = InterfaceRequest { luid: Luid::new(6, 2), index: 2, families: 8, ..interface() };
    let beyond = PopulateRequest {
        luid: LUID,
        family: AddressFamily::IPV4,
        reserved: 0,
        first: u32::MAX,
        count: 2,
        reserved2: 0,
    };
    let cases: [(Command, &[u8], NtStatus); 8] = [
        (Command::PlanFault, unknown_function.as_bytes(), NtStatus::INVALID_PARAMETER),
        (Command::PlanFault, &fault.as_bytes()[1..], NtStatus::INFO_LENGTH_MISMATCH),
        (Command::AddInterface, unknown_family.as_bytes(), NtStatus::INVALID_PARAMETER),
        (Command::AddInterface, same_interface.as_bytes(), NtStatus::OBJECT_NAME_COLLISION),
        (Command::Populate, beyond.as_bytes(), NtStatus::INVALID_PARAMETER),
        (Command::Reset, &[0], NtStatus::INFO_LENGTH_MISMATCH),
        (Command::SetGate, &[0; 264], NtStatus::INVALID_DEVICE_REQUEST),
        (Command::OpenName, &[0; 128], NtStatus::INVALID_DEVICE_REQUEST),
    ];
    for (command, input, expected) in cases {
        assert_eq!(send(&mut model, command, input, 0), (expected, vec![]), "{command:?}");
    }
    assert_eq!(send(&mut model, Command::QueryState, &[], 103), (NtStatus::BUFFER_TOO_SMALL, vec![]));
    assert_eq!(state(&mut model), before);
}

#[test]
fn a_name_is_as_long_as_it_may_be() {
    let longest = "x".repeat(64);
    assert_eq!(Name::new(&longest).map(|name| name.units().len()), Some(64));
    assert_eq!(Name::new(&format!("{longest}y")), None);
    assert_eq!(Name::new("").map(|name| name.units().len()), Some(0));
}
