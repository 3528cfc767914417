//! Controls: a damaged event is not taken for a whole one, and an address of memory is seen.

use kernel_sim::{EventDescriptor, TraceEvent};

use super::listener::{Listener, decode, mapped_memory, pointer_in};
use crate::bench::{Bench, ETHERNET, on};

/// An event of the driver for which nobody but the decoder vouches.
fn event() -> TraceEvent {
    let bench = Bench::new();
    let listener = Listener::new(&bench.kernel);
    bench.create(on(ETHERNET, "2001:db8::1")).expect("created");
    let event = listener.written().pop().expect("it is told");
    assert!(decode(&event).is_ok());
    event
}

/// The event with something done to one of its items: the provider's description, its own, or its data.
fn damaged(event: &TraceEvent, item: usize, damage: impl FnOnce(&mut Vec<u8>)) -> TraceEvent {
    let mut event = event.clone();
    damage(&mut event.items[item].bytes);
    event
}

#[test]
fn an_event_of_which_something_is_missing_or_left_is_rejected() {
    let event = event();
    for item in 0..event.items.len() {
        for length in 0..event.items[item].bytes.len() {
            let cut = damaged(&event, item, |bytes| bytes.truncate(length));
            assert!(decode(&cut).is_err(), "item {item} ends after {length} bytes");
        }
        assert!(decode(&damaged(&event, item, |bytes| bytes.push(0))).is_err(), "item {item} is too long");
    }
    let mut event = event;
    event.items.swap(0, 1);
    assert!(decode(&event).is_err(), "the descriptions are in each other's place");
}

#[test]
fn an_event_with_another_description_than_its_data_is_rejected() {
    let event = event();
    let description = &event.items[1].bytes;
    for position in 0..description.len() {
        // Names are in ASCII: with this bit they are no UTF-8, and a length or a type is another one.
        let other = damaged(&event, 1, |bytes| bytes[position] ^= 0x80);
        assert!(decode(&other).is_err(), "byte {position} of {description:?}");
    }
}

#[test]
fn a_socket_address_with_more_than_an_address_is_rejected() {
    const LUID: usize = 8;
    const LENGTH: usize = 2;
    let event = event();
    // Family, port, flow information, and the zone behind the address.
    for position in (0..8).chain(24..28) {
        let other = damaged(&event, 2, |bytes| bytes[LUID + LENGTH + position] ^= 1);
        assert!(decode(&other).is_err(), "byte {position} of the socket address");
    }
}

#[test]
fn an_event_of_another_channel_or_with_a_task_is_rejected() {
    let event = event();
    let descriptor = event.descriptor;
    for other in [EventDescriptor { channel: 0, ..descriptor }, EventDescriptor { task: 1, ..descriptor }] {
        assert!(decode(&TraceEvent { descriptor: other, ..event.clone() }).is_err(), "{other:?}");
    }
}

#[test]
fn an_address_of_memory_is_seen_wherever_it_begins() {
    let bench = Bench::new();
    let code = u64::try_from(bench.driver.code().start).expect("64 bits");
    for address in [code, 0xFFFF_B000_0000_0010] {
        for start in 0..8 {
            let data = [&vec![0x11; start][..], &address.to_le_bytes(), &[0x11]].concat();
            assert_eq!(pointer_in(&data, &mapped_memory()), Some(address), "{data:x?}");
        }
    }
    assert_eq!(pointer_in(&[0x11; 64], &mapped_memory()), None);
}
