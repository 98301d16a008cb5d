"""How the link to the service is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CONNECTING, ATTENDING, WAITING = "connecting", "attending", "waiting"
ELSEWHERE, VERSION_REFUSED, NOT_ACCEPTED, REVOKED = "elsewhere", "version", "not-accepted", "revoked"

#: state -> (zh, en) where the service has no words of its own
WORDS = {
    CONNECTING: ("正在连接服务。", "Connecting to the service."),
    ATTENDING: ("已连接，等待签名请求。", "Connected, waiting for requests."),
    WAITING: (
        "与服务的连接已断开，正在自动重连。",
        "The connection is cut; it is being made again by itself.",
    ),
    ELSEWHERE: (
        "同一身份的另一个代理正在值守。若那不是您，请联系管理员吊销此代理；否则请关闭其中一个。本机会继续等待。",
        "Another agent attends with this identity. If it is not yours, have it revoked; this one goes on waiting.",
    ),
    VERSION_REFUSED: (
        "服务不再支持此版本的代理，请安装新版本。",
        "The service does not support this version any more: install a newer one.",
    ),
    NOT_ACCEPTED: (
        "服务不接受此代理的证书（可能已吊销或过期），请联系管理员；本机会不时重试。",
        "The service does not accept this agent's certificate: ask the administrator. It is tried again at times.",
    ),
    REVOKED: (
        "此代理已被吊销，不再连接，也不再签名。如需继续使用，请管理员重新登记。",
        "This agent was revoked: it does not connect or sign any more. To use it again, enrol it anew.",
    ),
}


@dataclass(frozen=True, slots=True)
class LinkState:
    """code: one of the words above. since: when it began. detail: technical."""

    code: str
    zh: str
    en: str
    since: datetime
    detail: str = ""
