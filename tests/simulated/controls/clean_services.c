/*
 * Keeps every rule: uses callback objects, threads of its own, work items in its own memory, named events, events for tracing,
 * its parameters in the registry, and the notice of the system's shutdown.
 */
#include "control.h"
#include <evntprov.h>

static const GUID provider_id = {0xA0A1A2A3, 0xB0B1, 0xC0C1, {0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7}};
static REGHANDLE provider;
static volatile LONG enabled_level = -1;
static PCALLBACK_OBJECT callback_object;
static PVOID registration;
static volatile LONG notified;
static volatile LONG shut_down;
static ULONG limit;
static WCHAR greeting_characters[16];
static UNICODE_STRING greeting = {0, sizeof(greeting_characters), greeting_characters};

static VOID NTAPI enabled(LPCGUID source, ULONG code, UCHAR level, ULONGLONG any, ULONGLONG all,
                          PEVENT_FILTER_DESCRIPTOR filter, PVOID context) {
  UNREFERENCED_PARAMETER(source);
  UNREFERENCED_PARAMETER(any);
  UNREFERENCED_PARAMETER(all);
  UNREFERENCED_PARAMETER(filter);
  InterlockedExchange(context, code == 0 ? -1 : level);
  /* A service, where another thread may go on. */
  DbgPrint("%u is wanted\n", level);
}

static NTSTATUS trace(ULONG value) {
  static const EVENT_DESCRIPTOR descriptor = {.Id = 7, .Level = 4, .Keyword = 2};
  static const WCHAR text[] = L"text";
  EVENT_DATA_DESCRIPTOR data[2] = {{(ULONG_PTR)&value, sizeof(value), 0}, {(ULONG_PTR)text, sizeof(text), 0}};
  if (!EtwEventEnabled(provider, &descriptor)) {
    return STATUS_SUCCESS;
  }
  NTSTATUS status = EtwWrite(provider, &descriptor, NULL, 2, data);
  return NT_SUCCESS(status) ? EtwWriteTransfer(provider, &descriptor, &provider_id, NULL, 0, NULL) : status;
}

static VOID NTAPI called_back(PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(argument2);
  InterlockedExchangeAdd(context, (LONG)(LONG_PTR)argument1);
}

static NTSTATUS open_callback_object(void) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Callback\\Control");
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  NTSTATUS status = ExCreateCallback(&callback_object, &attributes, TRUE, TRUE);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  registration = ExRegisterCallback(callback_object, called_back, (PVOID)&notified);
  return registration == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS notify(void) {
  LONG before = notified;
  ExNotifyCallback(callback_object, (PVOID)3, NULL);
  return notified >= before + 3 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID NTAPI thread(PVOID context) {
  LARGE_INTEGER interval = {.QuadPart = -10000};
  BOOLEAN right = KeAreApcsDisabled() && PsGetCurrentProcessId() == (HANDLE)4;
  KeDelayExecutionThread(KernelMode, FALSE, &interval);
  *(volatile BOOLEAN *)context = right;
  PsTerminateSystemThread(STATUS_SUCCESS);
  *(volatile BOOLEAN *)context = FALSE;
}

/* Waits for the end of a thread: for the thread itself. */
static NTSTATUS run_thread(void) {
  volatile BOOLEAN right = FALSE;
  HANDLE handle;
  PVOID object;
  NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, thread, (PVOID)&right);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &object, NULL);
  ZwClose(handle);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(object);
  return right ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID NTAPI work(PVOID object, PVOID context, PIO_WORKITEM item) {
  UNREFERENCED_PARAMETER(object);
  IoUninitializeWorkItem(item);
  KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS run_work(PDEVICE_OBJECT device) {
  KEVENT done;
  PIO_WORKITEM item = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), TAG);
  if (item == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  IoInitializeWorkItem(device, item);
  IoQueueWorkItemEx(item, work, DelayedWorkQueue, &done);
  KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
  ExFreePoolWithTag(item, TAG);
  return STATUS_SUCCESS;
}

/* An event that others can open by its name: it is signalled when it is new, and the same for all. */
static NTSTATUS share_event(void) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Control");
  HANDLE handle, other;
  PKEVENT event = IoCreateNotificationEvent(&name, &handle);
  if (event == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  PKEVENT same = IoCreateNotificationEvent(&name, &other);
  if (same != NULL) {
    ZwClose(other);
  }
  NTSTATUS status = KeReadStateEvent(event) != 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
  ZwClose(handle);
  if (same == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  return same == event ? status : STATUS_UNSUCCESSFUL;
}

/* The parameters of the service, value by value. */
static NTSTATUS count_parameters(PUNICODE_STRING service_key, PULONG count) {
  UNICODE_STRING subkey = RTL_CONSTANT_STRING(L"Parameters");
  OBJECT_ATTRIBUTES attributes;
  HANDLE service, parameters;
  ULONG length;
  UCHAR buffer[128];
  *count = 0;
  InitializeObjectAttributes(&attributes, service_key, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
  NTSTATUS status = ZwOpenKey(&service, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  InitializeObjectAttributes(&attributes, &subkey, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, service, NULL);
  status = ZwOpenKey(&parameters, KEY_READ, &attributes);
  ZwClose(service);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  do {
    status = ZwEnumerateValueKey(parameters, *count, KeyValueFullInformation, buffer, sizeof(buffer), &length);
    *count += NT_SUCCESS(status) ? 1 : 0;
  } while (NT_SUCCESS(status));
  ZwClose(parameters);
  return status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : status;
}

/* mingw-w64 lacks these two. */
#define QUERY_TYPECHECK 0x00000100
#define QUERY_TYPECHECK_SHIFT 24

static NTSTATUS read_parameters(PUNICODE_STRING service_key) {
  ULONG none = 11, count;
  RTL_QUERY_REGISTRY_TABLE table[] = {
      {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Parameters", NULL, REG_NONE, NULL, 0},
      {NULL, RTL_QUERY_REGISTRY_DIRECT | QUERY_TYPECHECK, L"Limit", &limit, REG_DWORD << QUERY_TYPECHECK_SHIFT | REG_DWORD,
       &none, sizeof(none)},
      {NULL, RTL_QUERY_REGISTRY_DIRECT | QUERY_TYPECHECK, L"Greeting", &greeting, REG_SZ << QUERY_TYPECHECK_SHIFT, NULL, 0},
      {NULL, 0, NULL, NULL, REG_NONE, NULL, 0},
  };
  /* The characters of `service_key` need not end with a zero. */
  NTSTATUS status =
      RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL, L"clean_services", table, NULL, NULL);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = count_parameters(service_key, &count);
  return status == STATUS_OBJECT_NAME_NOT_FOUND || count == 2 ? STATUS_SUCCESS : status;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  NTSTATUS status = notify();
  if (NT_SUCCESS(status)) {
    status = run_thread();
  }
  if (NT_SUCCESS(status)) {
    status = run_work(device);
  }
  if (NT_SUCCESS(status)) {
    status = share_event();
  }
  if (NT_SUCCESS(status)) {
    status = trace(limit);
  }
  ULONG length = location(irp)->Parameters.DeviceIoControl.OutputBufferLength;
  if (!NT_SUCCESS(status) || length < 3 * sizeof(LONG)) {
    return complete(irp, status, 0);
  }
  LONG *output = irp->AssociatedIrp.SystemBuffer;
  output[0] = (LONG)limit;
  output[1] = enabled_level;
  output[2] = greeting.Length;
  return complete(irp, status, 3 * sizeof(LONG));
}

static NTSTATUS NTAPI shutdown(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  InterlockedIncrement(&shut_down);
  return complete(irp, STATUS_SUCCESS, 0);
}

static VOID undo(PDRIVER_OBJECT driver) {
  if (registration != NULL) {
    ExUnregisterCallback(registration);
  }
  if (callback_object != NULL) {
    ObDereferenceObject(callback_object);
  }
  if (provider != 0) {
    EtwUnregister(provider);
  }
  if (driver->DeviceObject != NULL) {
    remove_device(driver);
  }
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  IoUnregisterShutdownNotification(driver->DeviceObject);
  undo(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  NTSTATUS status = read_parameters(registry_path);
  if (NT_SUCCESS(status)) {
    status = EtwRegister(&provider_id, enabled, (PVOID)&enabled_level, &provider);
  }
  if (NT_SUCCESS(status)) {
    status = open_callback_object();
  }
  if (NT_SUCCESS(status)) {
    status = create_device(driver, 0, control, unload);
  }
  if (NT_SUCCESS(status)) {
    driver->MajorFunction[IRP_MJ_SHUTDOWN] = shutdown;
    status = IoRegisterShutdownNotification(driver->DeviceObject);
  }
  if (!NT_SUCCESS(status)) {
    undo(driver);
  }
  return status;
}
