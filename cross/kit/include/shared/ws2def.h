/*
 * The part of ws2def.h that netioapi.h rests on, for kernel mode. mingw-w64 keeps most of it in winsock2.h, which is for
 * user mode. Documented on the pages ddi/ws2def/ns-ws2def-*.
 */
#ifndef _WS2DEF_
#define _WS2DEF_

#include <inaddr.h>

#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 23

typedef USHORT ADDRESS_FAMILY;

typedef struct sockaddr_in {
  ADDRESS_FAMILY sin_family;
  USHORT sin_port;
  IN_ADDR sin_addr;
  CHAR sin_zero[8];
} SOCKADDR_IN, *PSOCKADDR_IN;

typedef struct _SCOPE_ID {
  union {
    struct {
      ULONG Zone : 28;
      ULONG Level : 4;
    };
    ULONG Value;
  };
} SCOPE_ID, *PSCOPE_ID;

#endif /* _WS2DEF_ */
