/* C_SignInit + C_Sign in a loop, as fast as a PKCS#11 module does it for one process: what no Python can be above.
 *
 * loop MODULE LABEL PIN-FILE KEY-ID-HEX SECONDS: prints the signatures per second of RSA-2048 over a DigestInfo.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include "../../tests/support/native/pkcs11.h"

static CK_FUNCTION_LIST *f;

static void must(CK_ULONG code, const char *what)
{
    if (code) {
        fprintf(stderr, "%s: 0x%lx\n", what, code);
        exit(1);
    }
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

#define CALL(place, ...) ((CK_ULONG(*)())f->functions[place])(__VA_ARGS__)

int main(int argc, char **argv)
{
    CK_ULONG slots[64], count = 64, session, key, found, class = 3, slot = 0;
    char info[208], pin[128];
    CK_BYTE id[16], data[51], signature[512];
    if (argc != 6)
        return 2;
    /* several processes that open a SoftHSM token at once fail: one after the other, as the product does it */
    FILE *file = fopen(argv[3], "r");
    if (!file || !fgets(pin, sizeof pin, file) || flock(fileno(file), LOCK_EX))
        return 1;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    CK_ULONG (*get)(CK_FUNCTION_LIST **) = (CK_ULONG (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList");
    must(get(&f), "C_GetFunctionList");
    must(CALL(F_Initialize, (void *)0), "C_Initialize");
    must(CALL(F_GetSlotList, 1UL, slots, &count), "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++)
        if (!CALL(F_GetTokenInfo, slots[i], info) && !strncmp(info, argv[2], strlen(argv[2])))
            slot = slots[i];
    must(CALL(F_OpenSession, slot, 4UL, (void *)0, (void *)0, &session), "C_OpenSession");
    must(CALL(F_Login, session, 1UL, pin, (CK_ULONG)strcspn(pin, "\r\n")), "C_Login");
    fclose(file);
    for (int i = 0; i < 16; i++) {
        unsigned part;
        sscanf(argv[4] + 2 * i, "%2x", &part);
        id[i] = (CK_BYTE)part;
    }
    CK_ATTRIBUTE wanted[] = {{0x0, &class, sizeof class}, {0x102, id, sizeof id}};
    must(CALL(F_FindObjectsInit, session, wanted, 2UL), "C_FindObjectsInit");
    must(CALL(F_FindObjects, session, &key, 1UL, &found), "C_FindObjects");
    must(CALL(F_FindObjectsFinal, session), "C_FindObjectsFinal");
    if (found != 1) {
        fprintf(stderr, "the key is not there\n");
        return 1;
    }
    CK_MECHANISM mechanism = {1, 0, 0}; /* CKM_RSA_PKCS */
    memset(data, 7, sizeof data);
    double begun = now(), limit = begun + atof(argv[5]);
    long made = 0;
    while (now() < limit) {
        CK_ULONG size = sizeof signature;
        must(CALL(F_SignInit, session, &mechanism, key), "C_SignInit");
        must(CALL(F_Sign, session, data, (CK_ULONG)sizeof data, signature, &size), "C_Sign");
        made++;
    }
    printf("%.1f\n", made / (now() - begun));
    return 0;
}
