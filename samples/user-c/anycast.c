/*
 * Puts an anycast address on a network interface, from C: anycast ADDRESS INTERFACE-INDEX
 *
 * Build: cl /std:c11 anycast.c ws2_32.lib, or x86_64-w64-mingw32-gcc anycast.c -lws2_32
 * The contract is docs/protocol.md; the row is the SDK's own MIB_ANYCASTIPADDRESS_ROW.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Device type 0x8ACA, function 0x801 (CREATE), METHOD_BUFFERED, FILE_WRITE_ACCESS. */
#define NETIO_ANYCAST_CREATE CTL_CODE(0x8ACA, 0x801, METHOD_BUFFERED, FILE_WRITE_ACCESS)

struct create_request {
  MIB_ANYCASTIPADDRESS_ROW row;
  ULONG lifetime; /* 0: until somebody deletes the address */
  ULONG flags;
};

_Static_assert(sizeof(struct create_request) == 56, "the layout of the contract");

static int parse_address(const char *text, SOCKADDR_INET *address) {
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

int main(int argc, char **argv) {
  struct create_request request;
  MIB_ANYCASTIPADDRESS_ROW row;
  DWORD returned = 0;

  memset(&request, 0, sizeof request);
  if (argc != 3 || !parse_address(argv[1], &request.row.Address)) {
    fprintf(stderr, "usage: anycast ADDRESS INTERFACE-INDEX\n");
    return 2;
  }
  request.row.InterfaceIndex = strtoul(argv[2], NULL, 10);

  HANDLE device = CreateFileW(L"\\\\.\\NetioAnycast", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
  if (device == INVALID_HANDLE_VALUE) {
    fprintf(stderr, "cannot open the driver's device: error %lu\n", GetLastError());
    return 1;
  }
  BOOL done = DeviceIoControl(device, NETIO_ANYCAST_CREATE, &request, sizeof request, &row, sizeof row, &returned, NULL);
  DWORD error = done ? ERROR_SUCCESS : GetLastError();
  CloseHandle(device);
  if (!done) {
    /* 87 invalid, 1168 no such interface, 50 no such stack, 5010 exists already: docs/status-mapping.md. */
    fprintf(stderr, "cannot create the address: error %lu\n", error);
    return 1;
  }
  printf("created on interface %lu, LUID %016llx\n", row.InterfaceIndex, row.InterfaceLuid.Value);
  return 0;
}
