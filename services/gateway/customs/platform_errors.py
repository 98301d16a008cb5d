"""What the exchange platform's answer codes mean. Data only.

Source: spec 202205 table 7-1 (4 digits). That they stand in DxpRep/ResponseCode is assumed.
"""

from __future__ import annotations

#: code -> (Chinese, English)
PLATFORM_ERRORS: dict[str, tuple[str, str]] = {
    "0001": ("报文格式错误", "bad message format"),
    "0002": ("报文模式（Schema）校验失败", "schema check failed"),
    "0999": ("其他格式错误", "other format error"),
    "1001": ("签名无效", "signature invalid"),
    "1002": ("签名已过期", "signature expired"),
    "1003": ("解密失败", "decryption failed"),
    "1004": ("签名与数据不符", "signature does not match data"),
    "1999": ("其他安全错误", "other security error"),
    "2001": ("接收方不存在", "receiver does not exist"),
    "2002": ("实际接收方与声明的接收方地址不一致", "address mismatch between real and stated receiver"),
    "2999": ("其他业务逻辑错误", "other business logic error"),
    "3001": ("数据库或中间件错误", "database or middleware error"),
    "3002": ("远程连接错误", "remote connection error"),
    "3003": ("远程连接超时", "remote connection timeout"),
    "3999": ("其他系统错误", "other system error"),
}
_USER_DEFINED = ("平台自定义错误", "error defined by the platform's user")  # 4000..9999
_UNKNOWN = ("未知的平台应答代码", "unknown answer code of the platform")


def is_error(code: str) -> bool:
    """Table 7-1 lists errors only. Assumed: a code of nothing but zeros would mean success."""
    return code.strip("0") != ""


def meaning(code: str) -> tuple[str, str]:
    """What a code means, in Chinese and English."""
    if code in PLATFORM_ERRORS:
        return PLATFORM_ERRORS[code]
    if len(code) == 4 and code.isascii() and code.isdigit() and int(code) >= 4000:
        return _USER_DEFINED
    return _UNKNOWN
