/*
 * wdmsec.lib for a driver linked on Linux. As with the WDK's, it is code in the driver, not an import: the page
 * "WdmlibIoCreateDeviceSecure" (ddi/wdmsec/nf-wdmsec-wdmlibiocreatedevicesecure). It uses what every Windows since Vista
 * exports from ntoskrnl.exe.
 */
#include <ntifs.h>
#include <wdmsec.h>

#include "sddl.h"

/*
 * The type of device objects: exported, and declared in no header of mingw-w64. The kernel exports a variable that holds
 * the pointer. The WDK's headers declare such variables with one `*` more, since its import library gives them the address of
 * the import slot (CONSTANT in the module definition); with dllimport the compiler does that step itself.
 */
extern __declspec(dllimport) POBJECT_TYPE IoDeviceObjectType;

/* Tag of the one allocation: "NaSd" read as bytes. */
#define TAG 'dSaN'

/* The largest security setting that is read from the registry, with the header that comes before the value. */
#define SETTING_SIZE 4096

#define SDDL(name, text)                                                                          \
  static const WCHAR name##_TEXT[] = L##text;                                                     \
  const UNICODE_STRING name = {sizeof(name##_TEXT) - sizeof(WCHAR), sizeof(name##_TEXT), (PWSTR)name##_TEXT}

SDDL(SDDL_DEVOBJ_KERNEL_ONLY, "D:P");
SDDL(SDDL_DEVOBJ_SYS_ALL, "D:P(A;;GA;;;SY)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_ALL, "D:P(A;;GA;;;SY)(A;;GA;;;BA)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RX, "D:P(A;;GA;;;SY)(A;;GRGX;;;BA)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R, "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R, "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R, "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)");
SDDL(SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX,
     "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)");

/* Opens the registry key in which an administrator's settings for the device class `guid` are kept. */
static NTSTATUS open_class_properties(const GUID *guid, HANDLE *key) {
  static const WCHAR class_keys[] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\";
  static const WCHAR properties[] = L"\\Properties";
  WCHAR path[sizeof(class_keys) / sizeof(WCHAR) + 38 + sizeof(properties) / sizeof(WCHAR)];
  UNICODE_STRING name = {.Length = 0, .MaximumLength = sizeof(path), .Buffer = path};
  UNICODE_STRING guid_text;

  NTSTATUS status = RtlStringFromGUID(guid, &guid_text);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = RtlAppendUnicodeToString(&name, class_keys);
  if (NT_SUCCESS(status)) {
    status = RtlAppendUnicodeStringToString(&name, &guid_text);
  }
  RtlFreeUnicodeString(&guid_text);
  if (NT_SUCCESS(status)) {
    status = RtlAppendUnicodeToString(&name, properties);
  }
  if (!NT_SUCCESS(status)) {
    return status;
  }
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  return ZwOpenKey(key, KEY_READ, &attributes);
}

/*
 * Reads the value "Security" of `key` into `setting`: the page "Controlling Device Access" (kernel/controlling-device-access)
 * lets it take the place of the driver's default. A value that is no security descriptor with a DACL is an error: to fall
 * back to the default could give more access than the administrator meant to.
 */
static NTSTATUS read_security(HANDLE key, KEY_VALUE_PARTIAL_INFORMATION *setting) {
  UNICODE_STRING value;
  ULONG size;
  RtlInitUnicodeString(&value, L"Security");
  NTSTATUS status = ZwQueryValueKey(key, &value, KeyValuePartialInformation, setting, SETTING_SIZE, &size);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  /* RtlValidRelativeSecurityDescriptor finds a descriptor without a DACL, which lets everybody in, valid. */
  const SECURITY_DESCRIPTOR_RELATIVE *descriptor = (const SECURITY_DESCRIPTOR_RELATIVE *)setting->Data;
  if (setting->Type != REG_BINARY ||
      !RtlValidRelativeSecurityDescriptor(setting->Data, setting->DataLength, DACL_SECURITY_INFORMATION) ||
      !(descriptor->Control & SE_DACL_PRESENT) || descriptor->Dacl == 0) {
    return STATUS_INVALID_SECURITY_DESCR;
  }
  return STATUS_SUCCESS;
}

static NTSTATUS apply(PDEVICE_OBJECT device, PSECURITY_DESCRIPTOR descriptor) {
  HANDLE handle;
  NTSTATUS status = ObOpenObjectByPointer(device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, IoDeviceObjectType, KernelMode, &handle);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, descriptor);
  ZwClose(handle);
  return status;
}

/* Applies the administrator's setting for the class `guid` where there is one, `fallback` otherwise. */
static NTSTATUS apply_setting_or(PDEVICE_OBJECT device, const GUID *guid, PSECURITY_DESCRIPTOR fallback) {
  HANDLE key;
  NTSTATUS status = open_class_properties(guid, &key);
  if (status == STATUS_OBJECT_NAME_NOT_FOUND || status == STATUS_OBJECT_PATH_NOT_FOUND) {
    return apply(device, fallback);
  }
  if (!NT_SUCCESS(status)) {
    return status;
  }
  KEY_VALUE_PARTIAL_INFORMATION *setting = ExAllocatePoolWithTag(PagedPool, SETTING_SIZE, TAG);
  if (setting == NULL) {
    status = STATUS_INSUFFICIENT_RESOURCES;
  } else {
    status = read_security(key, setting);
    if (NT_SUCCESS(status)) {
      status = apply(device, setting->Data);
    } else if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
      status = apply(device, fallback);
    }
    ExFreePoolWithTag(setting, TAG);
  }
  ZwClose(key);
  return status;
}

NTSTATUS WdmlibIoCreateDeviceSecure(PDRIVER_OBJECT driver, ULONG extension_size, PUNICODE_STRING name, DEVICE_TYPE type,
                                    ULONG characteristics, BOOLEAN exclusive, PCUNICODE_STRING default_sddl, LPCGUID class_guid,
                                    PDEVICE_OBJECT *device) {
  uint8_t descriptor[SDDL_MAX_DESCRIPTOR] __attribute__((aligned(8)));

  *device = NULL;
  if (name == NULL && !(characteristics & FILE_AUTOGENERATED_DEVICE_NAME)) {
    return STATUS_INVALID_PARAMETER;
  }
  if (sddl_to_descriptor((const uint16_t *)default_sddl->Buffer, default_sddl->Length / sizeof(WCHAR), descriptor) == 0) {
    return STATUS_INVALID_PARAMETER;
  }
  /* Nobody can open the device yet: IoCreateDevice sets DO_DEVICE_INITIALIZING, and it is cleared after DriverEntry. */
  NTSTATUS status = IoCreateDevice(driver, extension_size, name, type, characteristics, exclusive, device);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = class_guid == NULL ? apply(*device, descriptor) : apply_setting_or(*device, class_guid, descriptor);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(*device);
    *device = NULL;
  }
  return status;
}
