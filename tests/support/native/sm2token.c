/* A PKCS#11 token that knows SM2 only, over OpenSSL's libcrypto: stands for a vendor's HSM, whose numbers are its own.
 *
 * SM2TOKEN_DIR  a folder; a key is <id in hex>.<label>.pem there, open: this is for tests.
 * SM2TOKEN_PIN  the PIN it lets in.
 * Mechanisms (of no real vendor): 0x80000B10 makes pairs; 0x80000B11 signs e (32 bytes) and answers r || s; 0x80000B12
 * hashes inside, with the default signer id, and answers DER. Key type 0x80000B01.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pkcs11.h"

/* of OpenSSL 3 (openssl/evp.h, pem.h, ecdsa.h), so that no headers are needed */
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
extern EVP_PKEY *EVP_PKEY_Q_keygen(void *, const char *, const char *, ...);
extern EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *, void *);
extern void EVP_PKEY_CTX_free(EVP_PKEY_CTX *);
extern int EVP_PKEY_CTX_set1_id(EVP_PKEY_CTX *, const void *, int);
extern int EVP_PKEY_sign_init(EVP_PKEY_CTX *);
extern int EVP_PKEY_sign(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
extern EVP_MD_CTX *EVP_MD_CTX_new(void);
extern void EVP_MD_CTX_free(EVP_MD_CTX *);
extern void EVP_MD_CTX_set_pkey_ctx(EVP_MD_CTX *, EVP_PKEY_CTX *);
extern const EVP_MD *EVP_sm3(void);
extern int EVP_DigestSignInit(EVP_MD_CTX *, void *, const EVP_MD *, void *, EVP_PKEY *);
extern int EVP_DigestSign(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
extern int EVP_PKEY_get_octet_string_param(const EVP_PKEY *, const char *, unsigned char *, size_t, size_t *);
extern EVP_PKEY *PEM_read_PrivateKey(FILE *, EVP_PKEY **, void *, void *);
extern int PEM_write_PrivateKey(FILE *, const EVP_PKEY *, const void *, const unsigned char *, int, void *, void *);
extern void EVP_PKEY_free(EVP_PKEY *);
typedef struct ECDSA_SIG_st ECDSA_SIG;
typedef struct bignum_st BIGNUM;
extern ECDSA_SIG *d2i_ECDSA_SIG(ECDSA_SIG **, const unsigned char **, long);
extern void ECDSA_SIG_get0(const ECDSA_SIG *, const BIGNUM **, const BIGNUM **);
extern void ECDSA_SIG_free(ECDSA_SIG *);
extern int BN_bn2binpad(const BIGNUM *, unsigned char *, int);

#define KEY_TYPE 0x80000B01UL
#define GENERATE 0x80000B10UL
#define SIGN_DIGEST 0x80000B11UL
#define SIGN_WHOLE 0x80000B12UL
#define MOST 64
static const CK_BYTE CURVE[] = {0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d};
static const char SIGNER_ID[] = "1234567812345678";

/* handles: 2 * place + 1 is the private key, 2 * place + 2 the public one */
static struct { CK_BYTE id[16]; char label[64]; EVP_PKEY *key; } keys[MOST];
static int count, logged_in;
static CK_ULONG found[2 * MOST], found_count, found_next, sign_key, sign_mechanism;
static CK_FUNCTION_LIST list;

static void path_of(char *path, size_t size, int place)
{
    char hex[33];
    for (int i = 0; i < 16; i++)
        sprintf(hex + 2 * i, "%02x", keys[place].id[i]);
    snprintf(path, size, "%s/%s.%s.pem", getenv("SM2TOKEN_DIR"), hex, keys[place].label);
}

static int known(const CK_BYTE *id, const char *label)
{
    for (int place = 0; place < count; place++)
        if (!memcmp(keys[place].id, id, 16) && !strcmp(keys[place].label, label))
            return 1;
    return 0;
}

/* Take in what this process does not know yet: a token shows its objects to every process, whoever made them. */
static void load(void)
{
    char path[4096];
    struct dirent *entry;
    DIR *folder = opendir(getenv("SM2TOKEN_DIR"));
    while (folder && (entry = readdir(folder)) && count < MOST) {
        char hex[33], label[64];
        if (sscanf(entry->d_name, "%32[0-9a-f].%63[^.].pem", hex, label) != 2)
            continue;
        for (int i = 0; i < 16; i++) {
            unsigned part;
            sscanf(hex + 2 * i, "%2x", &part);
            keys[count].id[i] = (CK_BYTE)part;
        }
        if (known(keys[count].id, label))
            continue;
        strcpy(keys[count].label, label);
        path_of(path, sizeof path, count);
        FILE *file = fopen(path, "r");
        keys[count].key = file ? PEM_read_PrivateKey(file, 0, 0, 0) : 0;
        if (file)
            fclose(file);
        if (keys[count].key)
            count++;
    }
    if (folder)
        closedir(folder);
}

static CK_ULONG unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }
static CK_ULONG Initialize(void *arguments) { (void)arguments; load(); return CKR_OK; }
static CK_ULONG Finalize(void *reserved) { (void)reserved; logged_in = 0; return CKR_OK; }

static void text(void *at, const char *value, size_t size)
{
    memset(at, ' ', size);
    memcpy(at, value, strlen(value));
}

static CK_ULONG GetInfo(char *info)
{
    memset(info, 0, 88);
    info[0] = 2; info[1] = 40;
    text(info + 2, "tongguan tests", 32);
    text(info + 48, "SM2 over libcrypto", 32);
    return CKR_OK;
}

static CK_ULONG GetSlotList(CK_BYTE present, CK_ULONG *slots, CK_ULONG *size)
{
    (void)present;
    if (slots)
        slots[0] = 0;
    *size = 1;
    return CKR_OK;
}

static CK_ULONG GetSlotInfo(CK_ULONG slot, char *info)
{
    (void)slot;
    memset(info, 0, 112);
    text(info, "slot", 64);
    text(info + 64, "tongguan tests", 32);
    *(CK_ULONG *)(info + 96) = 1; /* CKF_TOKEN_PRESENT */
    return CKR_OK;
}

static CK_ULONG GetTokenInfo(CK_ULONG slot, char *info)
{
    (void)slot;
    memset(info, 0, 208);
    text(info, "sm2", 32);
    text(info + 32, "tongguan tests", 32);
    text(info + 64, "vendor SM2", 16);
    text(info + 80, "0001", 16);
    *(CK_ULONG *)(info + 96) = 0x40C; /* LOGIN_REQUIRED, USER_PIN_INITIALIZED, TOKEN_INITIALIZED */
    memset(info + 192, ' ', 16);
    return CKR_OK;
}

static CK_ULONG GetMechanismList(CK_ULONG slot, CK_ULONG *mechanisms, CK_ULONG *size)
{
    (void)slot;
    if (mechanisms) {
        mechanisms[0] = GENERATE; mechanisms[1] = SIGN_DIGEST; mechanisms[2] = SIGN_WHOLE;
    }
    *size = 3;
    return CKR_OK;
}

static CK_ULONG OpenSession(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, CK_ULONG *session)
{
    (void)slot; (void)flags; (void)application; (void)notify;
    *session = 1;
    return CKR_OK;
}

static CK_ULONG CloseSession(CK_ULONG session) { (void)session; return CKR_OK; }

static CK_ULONG Login(CK_ULONG session, CK_ULONG user, const char *pin, CK_ULONG length)
{
    const char *good = getenv("SM2TOKEN_PIN");
    (void)session; (void)user;
    if (strlen(good) != length || memcmp(pin, good, length))
        return CKR_PIN_INCORRECT;
    logged_in = 1;
    return CKR_OK;
}

static CK_ULONG Logout(CK_ULONG session) { (void)session; logged_in = 0; return CKR_OK; }

/* One attribute of an object: its value in `value`, its length as result; 0 if there is none such. */
static CK_ULONG attribute(CK_ULONG handle, CK_ULONG type, CK_BYTE *value)
{
    int place = (int)(handle - 1) / 2, public = (handle - 1) % 2;
    CK_ULONG number;
    size_t size;
    switch (type) {
    case 0x0: number = public ? 2 : 3; break;             /* CKA_CLASS */
    case 0x100: number = KEY_TYPE; break;                 /* CKA_KEY_TYPE */
    case 0x1: case 0x2: case 0x103: value[0] = type != 0x2 || !public; return 1;
    case 0x108: value[0] = !public; return 1;             /* CKA_SIGN */
    case 0x10A: value[0] = (CK_BYTE)public; return 1;     /* CKA_VERIFY */
    case 0x104: case 0x105: case 0x106: case 0x107: case 0x10C: case 0x162: value[0] = 0; return 1;
    case 0x3: size = strlen(keys[place].label); memcpy(value, keys[place].label, size); return size;
    case 0x102: memcpy(value, keys[place].id, 16); return 16;
    case 0x180: memcpy(value, CURVE, sizeof CURVE); return sizeof CURVE;
    case 0x181:                                           /* CKA_EC_POINT: an OCTET STRING round the point */
        if (!public || !EVP_PKEY_get_octet_string_param(keys[place].key, "encoded-pub-key", value + 2, 65, &size))
            return 0;
        value[0] = 4; value[1] = (CK_BYTE)size;
        return size + 2;
    default: return 0;
    }
    memcpy(value, &number, sizeof number);
    return sizeof number;
}

static CK_ULONG GetAttributeValue(CK_ULONG session, CK_ULONG handle, CK_ATTRIBUTE *wanted, CK_ULONG number)
{
    CK_ULONG result = CKR_OK;
    (void)session;
    if (handle < 1 || handle > 2UL * count)
        return CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < number; i++) {
        CK_BYTE value[128];
        CK_ULONG size = attribute(handle, wanted[i].type, value);
        if (!size) {
            wanted[i].length = (CK_ULONG)-1;
            result = CKR_ATTRIBUTE_TYPE_INVALID;
        } else if (!wanted[i].value) {
            wanted[i].length = size;
        } else if (wanted[i].length < size) {
            wanted[i].length = (CK_ULONG)-1;
            result = CKR_BUFFER_TOO_SMALL;
        } else {
            memcpy(wanted[i].value, value, size);
            wanted[i].length = size;
        }
    }
    return result;
}

static CK_ULONG FindObjectsInit(CK_ULONG session, CK_ATTRIBUTE *wanted, CK_ULONG number)
{
    (void)session;
    load();
    found_count = found_next = 0;
    for (CK_ULONG handle = 1; handle <= 2UL * count; handle++) {
        int fits = logged_in || handle % 2 == 0;
        for (CK_ULONG i = 0; i < number && fits; i++) {
            CK_BYTE value[128];
            CK_ULONG size = attribute(handle, wanted[i].type, value);
            fits = size == wanted[i].length && !memcmp(value, wanted[i].value, size);
        }
        if (fits)
            found[found_count++] = handle;
    }
    return CKR_OK;
}

static CK_ULONG FindObjects(CK_ULONG session, CK_ULONG *handles, CK_ULONG most, CK_ULONG *size)
{
    (void)session;
    for (*size = 0; *size < most && found_next < found_count;)
        handles[(*size)++] = found[found_next++];
    return CKR_OK;
}

static CK_ULONG FindObjectsFinal(CK_ULONG session) { (void)session; return CKR_OK; }

static CK_ULONG GenerateKeyPair(CK_ULONG session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, CK_ULONG publics,
                                CK_ATTRIBUTE *private, CK_ULONG privates, CK_ULONG *public_key, CK_ULONG *private_key)
{
    char path[4096], making[4104];
    int curve = 0;
    (void)session;
    if (mechanism->mechanism != GENERATE)
        return CKR_MECHANISM_INVALID;
    for (CK_ULONG i = 0; i < publics; i++)
        curve |= public[i].type == 0x180 && public[i].length == sizeof CURVE && !memcmp(public[i].value, CURVE, sizeof CURVE);
    if (!curve || count == MOST)
        return CKR_GENERAL_ERROR;
    memset(keys[count].id, 0, 16);
    memset(keys[count].label, 0, sizeof keys[count].label);
    for (CK_ULONG i = 0; i < privates; i++) {
        if (private[i].type == 0x102 && private[i].length == 16)
            memcpy(keys[count].id, private[i].value, 16);
        if (private[i].type == 0x3 && private[i].length < sizeof keys[count].label)
            memcpy(keys[count].label, private[i].value, private[i].length);
    }
    keys[count].key = EVP_PKEY_Q_keygen(0, 0, "SM2");
    path_of(path, sizeof path, count);
    snprintf(making, sizeof making, "%s.new", path);
    FILE *file = fopen(making, "w");
    if (!keys[count].key || !file || !PEM_write_PrivateKey(file, keys[count].key, 0, 0, 0, 0, 0))
        return CKR_GENERAL_ERROR;
    /* whole or not at all for those who look meanwhile */
    if (fclose(file) || rename(making, path))
        return CKR_GENERAL_ERROR;
    *private_key = 2UL * count + 1;
    *public_key = 2UL * count + 2;
    count++;
    return CKR_OK;
}

static CK_ULONG SignInit(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG key)
{
    (void)session;
    if (!logged_in || key < 1 || key > 2UL * count || key % 2 == 0)
        return CKR_KEY_HANDLE_INVALID;
    if (mechanism->mechanism != SIGN_DIGEST && mechanism->mechanism != SIGN_WHOLE)
        return CKR_MECHANISM_INVALID;
    sign_key = key;
    sign_mechanism = mechanism->mechanism;
    return CKR_OK;
}

static CK_ULONG Sign(CK_ULONG session, const CK_BYTE *data, CK_ULONG length, CK_BYTE *signature, CK_ULONG *size)
{
    CK_BYTE der[80];
    const CK_BYTE *at = der;
    size_t made = sizeof der;
    CK_ULONG need = sign_mechanism == SIGN_DIGEST ? 64 : sizeof der;
    EVP_PKEY *key = keys[(sign_key - 1) / 2].key;
    int good;
    (void)session;
    if (!signature || *size < need) {
        *size = need;
        return signature ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    }
    if (sign_mechanism == SIGN_DIGEST && length != 32)
        return CKR_DATA_LEN_RANGE;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, 0);
    if (sign_mechanism == SIGN_DIGEST) {
        good = EVP_PKEY_sign_init(context) > 0 && EVP_PKEY_sign(context, der, &made, data, length) > 0;
    } else {
        EVP_MD_CTX *digest = EVP_MD_CTX_new();
        EVP_PKEY_CTX_set1_id(context, SIGNER_ID, (int)strlen(SIGNER_ID));
        EVP_MD_CTX_set_pkey_ctx(digest, context);
        good = EVP_DigestSignInit(digest, 0, EVP_sm3(), 0, key) > 0 && EVP_DigestSign(digest, der, &made, data, length) > 0;
        EVP_MD_CTX_free(digest);
    }
    EVP_PKEY_CTX_free(context);
    if (!good)
        return CKR_GENERAL_ERROR;
    if (sign_mechanism == SIGN_WHOLE) {
        memcpy(signature, der, made);
        *size = made;
        return CKR_OK;
    }
    const BIGNUM *r, *s;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(0, &at, (long)made);
    ECDSA_SIG_get0(parts, &r, &s);
    BN_bn2binpad(r, signature, 32);
    BN_bn2binpad(s, signature + 32, 32);
    ECDSA_SIG_free(parts);
    *size = 64;
    return CKR_OK;
}

CK_ULONG C_GetFunctionList(CK_FUNCTION_LIST **result)
{
    list.version[0] = 2; list.version[1] = 40;
    for (int i = 0; i < 68; i++)
        list.functions[i] = (void *)unsupported;
    list.functions[F_GetFunctionList] = (void *)C_GetFunctionList;
    list.functions[F_Initialize] = (void *)Initialize;
    list.functions[F_Finalize] = (void *)Finalize;
    list.functions[F_GetInfo] = (void *)GetInfo;
    list.functions[F_GetSlotList] = (void *)GetSlotList;
    list.functions[F_GetSlotInfo] = (void *)GetSlotInfo;
    list.functions[F_GetTokenInfo] = (void *)GetTokenInfo;
    list.functions[F_GetMechanismList] = (void *)GetMechanismList;
    list.functions[F_OpenSession] = (void *)OpenSession;
    list.functions[F_CloseSession] = (void *)CloseSession;
    list.functions[F_Login] = (void *)Login;
    list.functions[F_Logout] = (void *)Logout;
    list.functions[F_GetAttributeValue] = (void *)GetAttributeValue;
    list.functions[F_FindObjectsInit] = (void *)FindObjectsInit;
    list.functions[F_FindObjects] = (void *)FindObjects;
    list.functions[F_FindObjectsFinal] = (void *)FindObjectsFinal;
    list.functions[F_GenerateKeyPair] = (void *)GenerateKeyPair;
    list.functions[F_SignInit] = (void *)SignInit;
    list.functions[F_Sign] = (void *)Sign;
    *result = &list;
    return CKR_OK;
}
