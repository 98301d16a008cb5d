/* The little of PKCS#11 (v2.40) that the modules for tests need; numbers and order of functions are the standard's. */
#ifndef TONGGUAN_PKCS11_H
#define TONGGUAN_PKCS11_H

typedef unsigned long CK_ULONG;
typedef unsigned char CK_BYTE;

typedef struct { CK_ULONG type; void *value; CK_ULONG length; } CK_ATTRIBUTE;
typedef struct { CK_ULONG mechanism; void *parameter; CK_ULONG length; } CK_MECHANISM;
typedef struct { CK_BYTE version[2]; void *functions[68]; } CK_FUNCTION_LIST;

/* places in CK_FUNCTION_LIST */
enum {
    F_Initialize, F_Finalize, F_GetInfo, F_GetFunctionList, F_GetSlotList, F_GetSlotInfo, F_GetTokenInfo,
    F_GetMechanismList, F_GetMechanismInfo, F_InitToken, F_InitPIN, F_SetPIN, F_OpenSession, F_CloseSession,
    F_CloseAllSessions, F_GetSessionInfo, F_GetOperationState, F_SetOperationState, F_Login, F_Logout, F_CreateObject,
    F_CopyObject, F_DestroyObject, F_GetObjectSize, F_GetAttributeValue, F_SetAttributeValue, F_FindObjectsInit,
    F_FindObjects, F_FindObjectsFinal, F_EncryptInit, F_Encrypt, F_EncryptUpdate, F_EncryptFinal, F_DecryptInit,
    F_Decrypt, F_DecryptUpdate, F_DecryptFinal, F_DigestInit, F_Digest, F_DigestUpdate, F_DigestKey, F_DigestFinal,
    F_SignInit, F_Sign, F_SignUpdate, F_SignFinal, F_SignRecoverInit, F_SignRecover, F_VerifyInit, F_Verify,
    F_VerifyUpdate, F_VerifyFinal, F_VerifyRecoverInit, F_VerifyRecover, F_DigestEncryptUpdate,
    F_DecryptDigestUpdate, F_SignEncryptUpdate, F_DecryptVerifyUpdate, F_GenerateKey, F_GenerateKeyPair, F_WrapKey,
    F_UnwrapKey, F_DeriveKey, F_SeedRandom, F_GenerateRandom, F_GetFunctionStatus, F_CancelFunction, F_WaitForSlotEvent
};

#define CKR_OK 0x0UL
#define CKR_HOST_MEMORY 0x2UL
#define CKR_GENERAL_ERROR 0x5UL
#define CKR_FUNCTION_NOT_SUPPORTED 0x54UL
#define CKR_ATTRIBUTE_TYPE_INVALID 0x12UL
#define CKR_DATA_LEN_RANGE 0x21UL
#define CKR_KEY_HANDLE_INVALID 0x60UL
#define CKR_MECHANISM_INVALID 0x70UL
#define CKR_OBJECT_HANDLE_INVALID 0x82UL
#define CKR_PIN_INCORRECT 0xA0UL
#define CKR_BUFFER_TOO_SMALL 0x150UL
#endif
