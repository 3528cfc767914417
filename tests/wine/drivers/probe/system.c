/* Memory, clocks, the registry, security, and functions by name. */
#include "probe.h"

VOID pool(struct check *check) {
  BOOLEAN zero = TRUE, filled = TRUE;
  PUCHAR memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, TAG);
  REQUIRE(memory != NULL && (ULONG_PTR)memory % 16 == 0);
  for (ULONG i = 0; i < 100; i++) {
    zero = zero && memory[i] == 0;
  }
  EXPECT(zero);
  ExFreePoolWithTag(memory, TAG);
  /* What need not be zero had better not be: who relies on it would not be found out. */
  memory = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, 100, TAG);
  REQUIRE(memory != NULL);
  for (ULONG i = 0; i < 100; i++) {
    filled = filled && memory[i] != 0;
  }
  EXPECT(filled);
  ExFreePoolWithTag(memory, TAG);
  EXPECT(ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 0) == NULL);
}

VOID clocks(struct check *check) {
  ULONG64 first_stamp = 0, second_stamp = 0;
  LARGE_INTEGER precise, coarse;
  ULONG64 first = KeQueryInterruptTimePrecise(&first_stamp);
  delay(20);
  ULONG64 second = KeQueryInterruptTimePrecise(&second_stamp);
  EXPECT(second - first >= (ULONG64)MILLISECONDS(19) && second - first < (ULONG64)MILLISECONDS(60000));
  EXPECT(second_stamp > first_stamp);
  KeQuerySystemTimePrecise(&precise);
  KeQuerySystemTime(&coarse);
  LONG64 apart = precise.QuadPart - coarse.QuadPart;
  EXPECT(apart < MILLISECONDS(1000) && apart > -MILLISECONDS(1000));
}

static NTSTATUS open_parameters(struct check *check, PHANDLE key, PCWSTR name) {
  WCHAR buffer[160];
  UNICODE_STRING path = {.Buffer = buffer, .MaximumLength = sizeof buffer};
  OBJECT_ATTRIBUTES attributes;
  RtlCopyUnicodeString(&path, check->registry_path);
  RtlAppendUnicodeToString(&path, name);
  InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  return ZwOpenKey(key, KEY_QUERY_VALUE, &attributes);
}

/* The values that the probe's INF puts into its Parameters key. */
VOID registry(struct check *check) {
  HANDLE key;
  UNICODE_STRING number = RTL_CONSTANT_STRING(L"Number"), text = RTL_CONSTANT_STRING(L"Text");
  UNICODE_STRING missing = RTL_CONSTANT_STRING(L"Missing");
  union {
    KEY_VALUE_PARTIAL_INFORMATION information;
    UCHAR bytes[64];
  } value;
  ULONG length = 0;
  EXPECT(open_parameters(check, &key, L"\\NoSuchKey") == STATUS_OBJECT_NAME_NOT_FOUND);
  REQUIRE(open_parameters(check, &key, L"\\Parameters") == STATUS_SUCCESS);
  EXPECT(ZwQueryValueKey(key, &missing, KeyValuePartialInformation, &value, sizeof value, &length) == STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT(ZwQueryValueKey(key, &number, KeyValuePartialInformation, &value, sizeof value, &length) == STATUS_SUCCESS);
  EXPECT(value.information.Type == REG_DWORD && value.information.DataLength == 4);
  EXPECT(*(ULONG UNALIGNED *)value.information.Data == 0x12345678);
  EXPECT(length == FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + 4);
  EXPECT(ZwQueryValueKey(key, &text, KeyValuePartialInformation, &value, sizeof value, &length) == STATUS_SUCCESS);
  EXPECT(value.information.Type == REG_SZ);
  /* Room for the fixed part alone: a warning that tells the length. */
  EXPECT(ZwQueryValueKey(key, &text, KeyValuePartialInformation, &value, 16, &length) == STATUS_BUFFER_OVERFLOW && length > 16);
  EXPECT(ZwQueryValueKey(key, &text, KeyValuePartialInformation, &value, 4, &length) == STATUS_BUFFER_TOO_SMALL);
  EXPECT(ZwClose(key) == STATUS_SUCCESS);
}

VOID routine_lookup(struct check *check) {
  UNICODE_STRING own = RTL_CONSTANT_STRING(L"ExAllocatePool2"), forwarded = RTL_CONSTANT_STRING(L"IoCreateDevice");
  UNICODE_STRING unknown = RTL_CONSTANT_STRING(L"NoSuchRoutine");
  /* Both ways to a routine lead to the same one: here that of the extension, which Wine's own lookup would not find. */
  EXPECT(MmGetSystemRoutineAddress(&own) == (PVOID)(ULONG_PTR)ExAllocatePool2);
  EXPECT(MmGetSystemRoutineAddress(&forwarded) != NULL);
  EXPECT(MmGetSystemRoutineAddress(&unknown) == NULL);
}

/* What IoCreateDeviceSecure of wdmsec.lib does after it has created the device. */
VOID security(struct check *check) {
  SECURITY_DESCRIPTOR descriptor;
  HANDLE handle = NULL;
  REQUIRE(NT_SUCCESS(RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION)));
  REQUIRE(NT_SUCCESS(ObOpenObjectByPointer(check->device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, OBJECT_TYPE_IN(IoDeviceObjectType), KernelMode,
                                           &handle)));
  EXPECT(NT_SUCCESS(RtlSetDaclSecurityDescriptor(&descriptor, TRUE, NULL, FALSE)));
  EXPECT(NT_SUCCESS(ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor)));
  EXPECT(NT_SUCCESS(ZwClose(handle)));
}
