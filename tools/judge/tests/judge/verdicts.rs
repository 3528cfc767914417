//! The verdicts on drivers that do wrong, in words and in JSON.

use std::time::Duration;

use insta::assert_snapshot;

use crate::bench::{Judged, control, judge, linux_call, orphan_ends, own, verdicts};

/// The verdict on an image that is not clean, as the simulated kernel finds however long it takes.
fn guilty(image: &str) -> String {
    guilty_within("60", image)
}

/// The verdict on an image that is not clean, after so many seconds at most.
fn guilty_within(seconds: &str, image: &str) -> String {
    let Judged { code, text } = judge(&["--seconds", seconds, "--call-seconds", "0.3", image]);
    assert_eq!(code, Some(1), "{text}");
    text
}

#[test]
fn a_clean_driver_is_clean_and_has_done_something() {
    let Judged { code, text } = judge(&[&control("clean")]);
    assert_eq!(code, Some(0), "{text}");
    assert_snapshot!(text, @r#"
    clean/clean.sys: clean
      devices opened: 1; device controls sent: 348; calls of services judged: 367; unloaded
    "#);
}

#[test]
fn a_control_code_is_found_in_the_driver_s_code() {
    // It crashes for the code that it has, and answers others.
    assert_snapshot!(guilty(&own("crashes_for_its_code")), @r#"
    crashes_for_its_code/crashes_for_its_code.sys: crashes
      rule broken: the driver does not crash (Crash)
        access violation at address 0x0
        by crashes_for_its_code
        at PASSIVE_LEVEL
          called from crashes_for_its_code+0x_ control(_DEVICE_OBJECT*, _IRP*) (drivers/crashes_for_its_code.c:9)
          IRP IRP_MJ_DEVICE_CONTROL 0x9badaaf3, 0 bytes in, 0 bytes out
          IRP sent to crashes_for_its_code at PASSIVE_LEVEL
        see https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-code-reference2
    "#);
}

#[test]
fn a_broken_rule_is_told_with_its_place() {
    assert_snapshot!(guilty(&control("link_left")), @r#"
    link_left/link_left.sys: breaks rules
      rule broken: the driver deletes its symbolic links before it is unloaded (LinkLeft)
        the link \dosdevices\control, made from here
        by link_left
        at PASSIVE_LEVEL
          called from link_left+0x_ create_device(_DRIVER_OBJECT*, unsigned long, long (*)(_DEVICE_OBJECT*, _IRP*), void (*)(_DRIVER_OBJECT*)) (controls/control.h:58) in DriverEntry(_DRIVER_OBJECT*, _UNICODE_STRING*) (controls/link_left.c:8)
        see https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iodeletesymboliclink
    "#);
}

#[test]
fn a_crash_is_told_with_its_place() {
    assert_snapshot!(guilty(&control("null_pointer")), @r#"
    null_pointer/null_pointer.sys: crashes
      rule broken: the driver does not crash (Crash)
        access violation at address 0x0
        by null_pointer
        at PASSIVE_LEVEL
          called from null_pointer+0x_ control(_DEVICE_OBJECT*, _IRP*) (controls/null_pointer.c:7)
          IRP IRP_MJ_DEVICE_CONTROL 0x00000000, 0 bytes in, 0 bytes out
          IRP sent to null_pointer at PASSIVE_LEVEL
        see https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-code-reference2
    "#);
}

#[test]
fn a_crash_while_loading_is_told_with_its_place() {
    assert_snapshot!(guilty(&control("crash_while_loading")), @r#"
    crash_while_loading/crash_while_loading.sys: crashes
      rule broken: the driver does not crash (Crash)
        division by zero
        by crash_while_loading
        in IoCreateSymbolicLink at PASSIVE_LEVEL
          called from crash_while_loading+0x_ DriverEntry(_DRIVER_OBJECT*, _UNICODE_STRING*) (controls/crash_while_loading.c:7)
        see https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-code-reference2
    "#);
}

#[test]
fn an_endless_loop_is_told_with_its_place() {
    assert_snapshot!(guilty(&control("spin")), @r#"
    spin/spin.sys: does not come back
      rule broken: the driver comes back (TimeLimit)
        it did not return within 300ms
        by spin
        at PASSIVE_LEVEL
          called from spin+0x_ control(_DEVICE_OBJECT*, _IRP*) (controls/spin.c:6)
          IRP IRP_MJ_DEVICE_CONTROL 0x00000000, 0 bytes in, 0 bytes out
          IRP sent to spin at PASSIVE_LEVEL
        see https://learn.microsoft.com/windows-hardware/drivers/debugger/bug-check-0x133-dpc-watchdog-violation
    "#);
}

#[test]
fn an_endless_wait_is_told_with_its_place() {
    assert_snapshot!(guilty(&control("wait_forever")), @r#"
    wait_forever/wait_forever.sys: waits for ever
      rule broken: what a driver waits for comes (WaitForever)
        what is waited for does not come
        by wait_forever
        in KeWaitForSingleObject at PASSIVE_LEVEL
          called from wait_forever+0x_ control(_DEVICE_OBJECT*, _IRP*) (controls/wait_forever.c:8)
          IRP IRP_MJ_DEVICE_CONTROL 0x00000000, 0 bytes in, 0 bytes out
          IRP sent to wait_forever at PASSIVE_LEVEL
        see https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kewaitforsingleobject
    "#);
}

#[test]
fn a_driver_that_does_not_start_is_not_clean() {
    assert_snapshot!(guilty(&own("refuses")), @r#"
    refuses/refuses.sys: does not start
      DriverEntry failed with STATUS_NOT_SUPPORTED (0xC00000BB) and broke no rule
    "#);
}

#[test]
fn a_driver_that_ends_its_process_as_if_all_were_well_is_not_clean() {
    assert_snapshot!(guilty(&linux_call("exits", "call(231, 0, 0, 0)")), @r#"
    exits/exits.sys: ends the process that runs it (exit status: 0)
      that was when \device\control was sent control code 0x00000000 with 0 bytes of input and room for 0
      it had last called KeGetCurrentIrql from exits+0x_ control(_DEVICE_OBJECT*, _IRP*) (drivers/linux_call.c:30)
    "#);
}

#[test]
fn a_driver_that_kills_its_process_is_told_with_its_signal_and_its_last_place() {
    assert_snapshot!(guilty(&linux_call("kills", "call(62, call(39, 0, 0, 0), 9, 0)")), @r#"
    kills/kills.sys: ends the process that runs it (signal: 9 (SIGKILL))
      that was when \device\control was sent control code 0x00000000 with 0 bytes of input and room for 0
      it had last called KeGetCurrentIrql from kills+0x_ control(_DEVICE_OBJECT*, _IRP*) (drivers/linux_call.c:30)
    "#);
}

#[test]
fn what_the_process_has_written_before_its_end_is_told() {
    let action = r#"call(1, 2, (LONG_PTR)"out of order\n", 13) + call(231, 7, 0, 0)"#;
    assert_snapshot!(guilty(&linux_call("writes", action)), @r#"
    writes/writes.sys: ends the process that runs it (exit status: 7)
      that was when \device\control was sent control code 0x00000000 with 0 bytes of input and room for 0
      it had last called KeGetCurrentIrql from writes+0x_ control(_DEVICE_OBJECT*, _IRP*) (drivers/linux_call.c:30)
      it wrote: out of order
    "#);
}

#[test]
fn a_driver_that_stops_the_simulated_kernel_is_stopped_when_its_time_is_over() {
    assert_snapshot!(guilty_within("2", &linux_call("pauses", "call(34, 0, 0, 0)")), @r#"
    pauses/pauses.sys: hangs: it was stopped after 2 s
      that was when \device\control was sent control code 0x00000000 with 0 bytes of input and room for 0
      it had last called KeGetCurrentIrql from pauses+0x_ control(_DEVICE_OBJECT*, _IRP*) (drivers/linux_call.c:30)
    "#);
}

#[test]
fn a_driver_that_has_its_process_talk_for_ever_is_stopped_when_its_time_is_over() {
    let text = guilty_within("2", &linux_call("talks", "talk_forever()"));
    assert!(text.starts_with("talks/talks.sys: hangs: it was stopped after 2 s\n"), "{text}");
}

#[test]
fn after_a_driver_that_kills_its_process_others_are_judged_as_ever() {
    let images = [control("clean"), linux_call("exits", "call(231, 0, 0, 0)"), control("clean"), control("link_left")];
    let verdicts = verdicts(&images);
    let words: Vec<_> = verdicts.iter().filter_map(|verdict| verdict["verdict"].as_str()).collect();
    assert_eq!(words, ["clean", "ends_worker", "clean", "breaks_rules"]);
}

#[test]
fn whoever_kills_the_judge_leaves_no_worker_behind() {
    assert!(orphan_ends(&linux_call("pauses", "call(34, 0, 0, 0)"), Duration::from_mins(1)));
}

#[test]
fn in_json_a_verdict_has_the_same() {
    let [verdict] = verdicts(&[control("link_left")]).try_into().expect("one image, one verdict");
    assert_snapshot!(format!("{verdict:#}"), @r#"
    {
      "findings": [
        {
          "detail": "the link \\dosdevices\\control, made from here",
          "report": "rule broken: the driver deletes its symbolic links before it is unloaded (LinkLeft)\n  the link \\dosdevices\\control, made from here\n  by link_left\n  at PASSIVE_LEVEL\n    called from link_left+0x_ create_device(_DRIVER_OBJECT*, unsigned long, long (*)(_DEVICE_OBJECT*, _IRP*), void (*)(_DRIVER_OBJECT*)) (controls/control.h:58) in DriverEntry(_DRIVER_OBJECT*, _UNICODE_STRING*) (controls/link_left.c:8)\n  see https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iodeletesymboliclink",
          "rule": "LinkLeft",
          "stack": [
            "link_left+0x_ create_device(_DRIVER_OBJECT*, unsigned long, long (*)(_DEVICE_OBJECT*, _IRP*), void (*)(_DRIVER_OBJECT*)) (controls/control.h:58) in DriverEntry(_DRIVER_OBJECT*, _UNICODE_STRING*) (controls/link_left.c:8)"
          ]
        }
      ],
      "image": "link_left/link_left.sys",
      "verdict": "breaks_rules"
    }
    "#);
}

#[test]
fn a_command_that_can_t_be_understood_is_told_so() {
    for arguments in [["clean.sys", "--seconds=0"], ["clean.sys", "--seconds=-1"], ["clean.sys", "--code=x"]] {
        let Judged { code, text } = judge(&arguments);
        assert_eq!(code, Some(2), "{text}");
    }
}
