/*
 * Holds anycast addresses on a network interface for as long as it runs, from C: anycast INTERFACE-INDEX ADDRESS...
 *
 * It leases the first address, and the others in one atomic batch while a request waits for the change; then it lists its leases and
 * releases the first. Closing the device withdraws the rest, as it would if the program were killed.
 *
 * Build: cl /std:c11 /W4 /D_WIN32_WINNT=0x0A00 /I..\..\include anycast.c ws2_32.lib
 *        x86_64-w64-mingw32-gcc -std=c11 -D_WIN32_WINNT=0x0A00 -I../../include anycast.c -o anycast.exe -lws2_32
 *
 * The contract is docs/protocol.md. Errors are the system's: 5 access denied, 87 invalid, 1168 no such interface, 50 no such stack,
 * 5010 exists already (docs/status-mapping.md).
 */
#include <netio_anycast.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws2tcpip.h>

/* The attempts to read a table that grows meanwhile. */
#define ATTEMPTS 8
/* How long a change of our own may take to be noticed, in milliseconds. */
#define PATIENCE 10000

#define FEATURES (NETIO_ANYCAST_FEATURE_LEASES | NETIO_ANYCAST_FEATURE_BATCHES | NETIO_ANYCAST_FEATURE_CHANGE_WAITS)

/* A request that was sent and may not have ended. */
struct request {
  HANDLE device;
  OVERLAPPED overlapped;
  DWORD error;
};

/* Sends a control code. The buffers, and the request, stay where they are until finish() has returned. */
static void start(struct request *request, HANDLE device, DWORD code, const void *input, DWORD input_length, void *output,
                  DWORD output_length) {
  memset(request, 0, sizeof *request);
  request->device = device;
  request->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (request->overlapped.hEvent == NULL) {
    request->error = GetLastError();
    return;
  }
  BOOL done = DeviceIoControl(device, code, (void *)input, input_length, output, output_length, NULL, &request->overlapped);
  request->error = done ? ERROR_SUCCESS : GetLastError();
}

/* Waits until a request has ended, and cancels it if that takes longer than `patience`. Returns the system's error code. */
static DWORD finish(struct request *request, DWORD patience, DWORD *returned) {
  DWORD length = 0;
  if (request->error == ERROR_SUCCESS || request->error == ERROR_IO_PENDING || request->error == ERROR_MORE_DATA) {
    if (WaitForSingleObject(request->overlapped.hEvent, patience) != WAIT_OBJECT_0) {
      CancelIoEx(request->device, &request->overlapped);
    }
    BOOL done = GetOverlappedResult(request->device, &request->overlapped, &length, TRUE);
    request->error = done ? ERROR_SUCCESS : GetLastError();
  }
  if (request->overlapped.hEvent != NULL) {
    CloseHandle(request->overlapped.hEvent);
  }
  if (returned != NULL) {
    *returned = length;
  }
  return request->error;
}

/* Sends a control code and waits for its end. */
static DWORD control(HANDLE device, DWORD code, const void *input, DWORD input_length, void *output, DWORD output_length,
                     DWORD *returned) {
  struct request request;
  start(&request, device, code, input, input_length, output, output_length);
  return finish(&request, INFINITE, returned);
}

static int failed(const char *what, DWORD error) {
  fprintf(stderr, "%s: error %lu\n", what, error);
  return 1;
}

static int parse_address(const char *text, SOCKADDR_INET *address) {
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &address->Ipv4.sin_addr) == 1) {
    address->si_family = AF_INET;
    return 1;
  }
  if (inet_pton(AF_INET6, text, &address->Ipv6.sin6_addr) == 1) {
    address->si_family = AF_INET6;
    return 1;
  }
  return 0;
}

static void print_row(const char *what, const MIB_ANYCASTIPADDRESS_ROW *row) {
  char text[INET6_ADDRSTRLEN] = "?";
  const SOCKADDR_INET *address = &row->Address;
  const void *bytes = address->si_family == AF_INET ? (const void *)&address->Ipv4.sin_addr : &address->Ipv6.sin6_addr;
  inet_ntop(address->si_family, (void *)bytes, text, sizeof text);
  printf("%s %s on interface %lu, LUID %016llx\n", what, text, row->InterfaceIndex, row->InterfaceLuid.Value);
}

/* Whether the driver speaks this contract and can do what this program needs. */
static int check_version(HANDLE device) {
  NETIO_ANYCAST_VERSION version;
  DWORD error = control(device, IOCTL_NETIO_ANYCAST_QUERY_VERSION, NULL, 0, &version, sizeof version, NULL);
  if (error != ERROR_SUCCESS) {
    return failed("cannot ask the driver for its version", error);
  }
  printf("driver %u.%u.%u, protocol %lu\n", version.Driver[0], version.Driver[1], version.Driver[2], version.Protocol);
  if (version.Protocol != NETIO_ANYCAST_PROTOCOL_VERSION || (version.Features & FEATURES) != FEATURES) {
    fprintf(stderr, "the driver does not offer leases, batches and waits for changes: features %llx\n", version.Features);
    return 1;
  }
  return 0;
}

/* Leases one address. */
static int lease(HANDLE device, const MIB_ANYCASTIPADDRESS_ROW *row, MIB_ANYCASTIPADDRESS_ROW *resolved) {
  NETIO_ANYCAST_CREATE_REQUEST request = {.Row = *row, .Lifetime = NETIO_ANYCAST_LIFETIME_HANDLE};
  DWORD error = control(device, IOCTL_NETIO_ANYCAST_CREATE, &request, sizeof request, resolved, sizeof *resolved, NULL);
  if (error != ERROR_SUCCESS) {
    return failed("cannot lease the address", error);
  }
  print_row("leased", resolved);
  return 0;
}

/* Leases all of these addresses, or none. */
static int lease_all(HANDLE device, const MIB_ANYCASTIPADDRESS_ROW *rows, ULONG count) {
  DWORD input_length = (DWORD)(sizeof(NETIO_ANYCAST_APPLY_REQUEST) + count * sizeof(NETIO_ANYCAST_APPLY_ITEM));
  DWORD output_length = (DWORD)(sizeof(NETIO_ANYCAST_APPLY_REPLY) + count * sizeof(NETIO_ANYCAST_ITEM_OUTCOME));
  NETIO_ANYCAST_APPLY_REQUEST *request = calloc(1, input_length);
  NETIO_ANYCAST_APPLY_REPLY *reply = calloc(1, output_length);
  DWORD error = ERROR_OUTOFMEMORY;
  if (request != NULL && reply != NULL) {
    NETIO_ANYCAST_APPLY_ITEM *items = (NETIO_ANYCAST_APPLY_ITEM *)(request + 1);
    request->Flags = NETIO_ANYCAST_APPLY_ATOMIC;
    request->Count = count;
    for (ULONG i = 0; i < count; i++) {
      items[i].Row = rows[i];
      items[i].Action = NETIO_ANYCAST_APPLY_ACTION_CREATE;
      items[i].Lifetime = NETIO_ANYCAST_LIFETIME_HANDLE;
    }
    error = control(device, IOCTL_NETIO_ANYCAST_APPLY, request, input_length, reply, output_length, NULL);
  }
  int result = error == ERROR_SUCCESS ? 0 : failed("cannot apply the batch", error);
  /* The request succeeds if it was well-formed; what became of each item is in its outcome. */
  for (ULONG i = 0; result == 0 && i < reply->Count; i++) {
    const NETIO_ANYCAST_ITEM_OUTCOME *outcome = (NETIO_ANYCAST_ITEM_OUTCOME *)(reply + 1) + i;
    printf("item %lu: state %u, error %lu\n", i + 1, outcome->State, outcome->Win32);
  }
  if (result == 0 && reply->NotApplied != 0) {
    fprintf(stderr, "the batch was not applied\n");
    result = 1;
  }
  free(reply);
  free(request);
  return result;
}

/* The driver's generation: it moves with every change of the addresses. */
static DWORD read_generation(HANDLE device, NETIO_ANYCAST_GENERATION *generation) {
  NETIO_ANYCAST_TABLE_FILTER everything = {0};
  NETIO_ANYCAST_TABLE_HEADER header;
  DWORD error =
      control(device, IOCTL_NETIO_ANYCAST_GET_TABLE, &everything, sizeof everything, &header, sizeof header, NULL);
  *generation = header.Generation;
  /* More rows exist than fit into no room at all; the header was written all the same. */
  return error == ERROR_MORE_DATA ? ERROR_SUCCESS : error;
}

/* Leases the addresses, and waits for the change that this makes, from before it. */
static int lease_and_wait(HANDLE device, const MIB_ANYCASTIPADDRESS_ROW *rows, ULONG count) {
  NETIO_ANYCAST_GENERATION before, after = 0;
  struct request wait;
  DWORD error = read_generation(device, &before);
  if (error != ERROR_SUCCESS) {
    return failed("cannot read the generation", error);
  }
  start(&wait, device, IOCTL_NETIO_ANYCAST_WAIT_CHANGE, &before, sizeof before, &after, sizeof after);
  int result = lease_all(device, rows, count);
  error = finish(&wait, result == 0 ? PATIENCE : 0, NULL);
  if (result == 0 && error != ERROR_SUCCESS) {
    return failed("cannot wait for the change", error);
  }
  if (result == 0) {
    printf("changed: %s\n", after != before ? "yes" : "no");
  }
  return result;
}

/* Lists the leases of this process: as many as fit come, and how many there are. */
static int list_leases(HANDLE device) {
  NETIO_ANYCAST_LEASE_FILTER ours = {.ProcessId = GetCurrentProcessId()};
  ULONG room = 4;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    DWORD length = (DWORD)(sizeof(NETIO_ANYCAST_TABLE_HEADER) + room * sizeof(NETIO_ANYCAST_LEASE_ROW));
    NETIO_ANYCAST_TABLE_HEADER *table = calloc(1, length);
    if (table == NULL) {
      return failed("cannot list leases", ERROR_OUTOFMEMORY);
    }
    DWORD error = control(device, IOCTL_NETIO_ANYCAST_LIST_LEASES, &ours, sizeof ours, table, length, NULL);
    for (ULONG i = 0; error == ERROR_SUCCESS && i < table->Count; i++) {
      print_row("held", &NETIO_ANYCAST_LEASE_ROWS(table)[i].Row);
    }
    /* Some more than there were, since others may come meanwhile. */
    room = table->Total + table->Total / 4 + 1;
    free(table);
    if (error != ERROR_MORE_DATA) {
      return error == ERROR_SUCCESS ? 0 : failed("cannot list leases", error);
    }
  }
  return failed("the leases grow too fast", ERROR_MORE_DATA);
}

static int release(HANDLE device, const MIB_ANYCASTIPADDRESS_ROW *row) {
  NETIO_ANYCAST_DELETE_REQUEST request = {.Row = *row};
  DWORD error = control(device, IOCTL_NETIO_ANYCAST_DELETE, &request, sizeof request, NULL, 0, NULL);
  if (error != ERROR_SUCCESS) {
    return failed("cannot release the address", error);
  }
  print_row("released", row);
  return 0;
}

/* What the program does with the device. */
static int run(HANDLE device, const MIB_ANYCASTIPADDRESS_ROW *rows, ULONG count) {
  MIB_ANYCASTIPADDRESS_ROW first;
  if (check_version(device) != 0 || lease(device, &rows[0], &first) != 0) {
    return 1;
  }
  if (count > 1 && lease_and_wait(device, rows + 1, count - 1) != 0) {
    return 1;
  }
  return list_leases(device) != 0 || release(device, &first) != 0;
}

int main(int argc, char **argv) {
  ULONG count = argc > 2 ? (ULONG)argc - 2 : 0;
  MIB_ANYCASTIPADDRESS_ROW *rows = calloc(count + 1, sizeof *rows);
  ULONG index = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
  int usable = rows != NULL && count > 0 && index != 0;
  for (ULONG i = 0; usable && i < count; i++) {
    usable = parse_address(argv[i + 2], &rows[i].Address);
    rows[i].InterfaceIndex = index;
  }
  if (!usable) {
    fprintf(stderr, "usage: anycast INTERFACE-INDEX ADDRESS...\n");
    return 2;
  }
  HANDLE device = CreateFileW(NETIO_ANYCAST_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                              FILE_FLAG_OVERLAPPED, NULL);
  if (device == INVALID_HANDLE_VALUE) {
    return failed("cannot open the driver's device", GetLastError());
  }
  int result = run(device, rows, count);
  CloseHandle(device);
  free(rows);
  return result;
}
