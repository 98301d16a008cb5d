/* A PKCS#11 module that passes every call on to a real one, counts the calls, and fails where it is told to.
 *
 * SHIM_MODULE  the real module
 * SHIM_DIR     a folder: NAME.calls grows by one byte at each call of C_NAME by any process (so its size is the count,
 *              and no code of the product takes part in it); `rules` says what fails:
 *                  NAME FROM TO rv NUMBER     calls FROM (counted from 0) up to TO (not included) answer that code
 *                  NAME FROM TO hang          … never come back
 *                  NAME FROM TO wait NUMBER   … take so many milliseconds longer
 *                  NAME FROM TO crash         … end the process as a fault of memory does
 *                  NAME FROM TO flags NUMBER  C_GetTokenInfo: these flags are set besides
 *              TO - is for ever. The file is read at every call, so that a rule holds from the moment it is written.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <signal.h>
#include "pkcs11.h"

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

/* The number of this call among all calls of all processes: where our byte landed in the file. */
static long counted(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.calls", getenv("SHIM_DIR"), name);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0 || write(file, ".", 1) != 1)
        abort();
    long place = (long)lseek(file, 0, SEEK_CUR) - 1;
    close(file);
    return place;
}

/* What the rules say of this call: its code, 0 to go on; *flags gets what is set besides. */
static CK_ULONG judged(const char *name, CK_ULONG *flags)
{
    char path[4096], rule[64], from[32], to[32], action[16], number[32], line[256];
    long place = counted(name);
    snprintf(path, sizeof path, "%s/rules", getenv("SHIM_DIR"));
    FILE *file = fopen(path, "r");
    if (!file)
        return CKR_OK;
    CK_ULONG result = CKR_OK;
    while (fgets(line, sizeof line, file)) {
        number[0] = 0;
        if (sscanf(line, "%63s %31s %31s %15s %31s", rule, from, to, action, number) < 4 || strcmp(rule, name))
            continue;
        if (place < atol(from) || (strcmp(to, "-") && place >= atol(to)))
            continue;
        if (!strcmp(action, "rv"))
            result = strtoul(number, 0, 0);
        else if (!strcmp(action, "flags") && flags)
            *flags |= strtoul(number, 0, 0);
        else if (!strcmp(action, "crash"))
            raise(SIGSEGV);
        else if (!strcmp(action, "wait"))
            usleep(1000 * (useconds_t)strtoul(number, 0, 0));
        else if (!strcmp(action, "hang"))
            for (;;)
                pause();
    }
    fclose(file);
    return result;
}

typedef CK_ULONG (*call0)(CK_ULONG);
typedef CK_ULONG (*call1)(void *);
typedef CK_ULONG (*call2)(CK_ULONG, void *);
typedef CK_ULONG (*call3)(CK_ULONG, void *, CK_ULONG);
typedef CK_ULONG (*call4)(CK_ULONG, CK_ULONG, void *, CK_ULONG);
typedef CK_ULONG (*call5)(CK_ULONG, void *, CK_ULONG, void *, void *);
typedef CK_ULONG (*call5b)(CK_ULONG, CK_ULONG, void *, void *, void *);
typedef CK_ULONG (*call6)(CK_ULONG, void *, void *, CK_ULONG, void *, CK_ULONG, void *, void *);

#define STOP(name) do { CK_ULONG code = judged(name, 0); if (code) return code; } while (0)
#define REAL(type, place) ((type)real->functions[place])

static CK_ULONG Initialize(void *arguments)
{
    STOP("Initialize");
    return REAL(call1, F_Initialize)(arguments);
}

static CK_ULONG GetTokenInfo(CK_ULONG slot, void *info)
{
    CK_ULONG flags = 0, code = judged("GetTokenInfo", &flags);
    if (code)
        return code;
    code = REAL(call2, F_GetTokenInfo)(slot, info);
    /* label 32, manufacturer 32, model 16, serial 16, then flags */
    if (!code)
        *(CK_ULONG *)((char *)info + 96) |= flags;
    return code;
}

static CK_ULONG OpenSession(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, void *session)
{
    STOP("OpenSession");
    return REAL(call5b, F_OpenSession)(slot, flags, application, notify, session);
}

static CK_ULONG Login(CK_ULONG session, CK_ULONG user, void *pin, CK_ULONG length)
{
    STOP("Login");
    return REAL(call4, F_Login)(session, user, pin, length);
}

static CK_ULONG Logout(CK_ULONG session)
{
    STOP("Logout");
    return REAL(call0, F_Logout)(session);
}

static CK_ULONG FindObjectsInit(CK_ULONG session, void *template, CK_ULONG count)
{
    STOP("FindObjectsInit");
    return REAL(call3, F_FindObjectsInit)(session, template, count);
}

static CK_ULONG GenerateKeyPair(CK_ULONG session, void *mechanism, void *public, CK_ULONG publics, void *private,
                                CK_ULONG privates, void *public_key, void *private_key)
{
    STOP("GenerateKeyPair");
    return REAL(call6, F_GenerateKeyPair)(session, mechanism, public, publics, private, privates, public_key, private_key);
}

static CK_ULONG SignInit(CK_ULONG session, void *mechanism, CK_ULONG key)
{
    STOP("SignInit");
    return REAL(call3, F_SignInit)(session, mechanism, key);
}

static CK_ULONG Sign(CK_ULONG session, void *data, CK_ULONG length, void *signature, void *size)
{
    STOP("Sign");
    return REAL(call5, F_Sign)(session, data, length, signature, size);
}

CK_ULONG C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    if (!real) {
        void *library = dlopen(getenv("SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            fprintf(stderr, "shim: %s\n", dlerror());
            return CKR_GENERAL_ERROR;
        }
        CK_ULONG (*get)(CK_FUNCTION_LIST **) = (CK_ULONG (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList");
        if (!get || get(&real))
            return CKR_GENERAL_ERROR;
        ours = *real;
        ours.functions[F_GetFunctionList] = (void *)C_GetFunctionList;
        ours.functions[F_Initialize] = (void *)Initialize;
        ours.functions[F_GetTokenInfo] = (void *)GetTokenInfo;
        ours.functions[F_OpenSession] = (void *)OpenSession;
        ours.functions[F_Login] = (void *)Login;
        ours.functions[F_Logout] = (void *)Logout;
        ours.functions[F_FindObjectsInit] = (void *)FindObjectsInit;
        ours.functions[F_GenerateKeyPair] = (void *)GenerateKeyPair;
        ours.functions[F_SignInit] = (void *)SignInit;
        ours.functions[F_Sign] = (void *)Sign;
    }
    *list = &ours;
    return CKR_OK;
}
