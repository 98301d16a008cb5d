"""Enterprises and lines that exist nowhere, for the examples of all kinds: right in shape, wrong in fact.

Examples show every field that a person may fill and fit together: the order, its waybill, its list and what follows.
"""

from __future__ import annotations

from documents import codes

#: in the form of codes that is in use
USD, CNY = ("502", "142") if "502" in codes.index("currency") else ("USD", "CNY")
AMERICA = "502" if "502" in codes.index("country") else "USA"

PLATFORM = {"ebpCode": "91610131MA0DEMPT1B", "ebpName": "示例跨境电商平台有限公司"}
WAREHOUSE = {"ebpCode": "无", "ebpName": "示例洛杉矶海外仓"}
SELLER = {"ebcCode": "91610131MA0DEMEC1R", "ebcName": "示例跨境电商有限公司"}
CARRIER = {"logisticsCode": "91610131MA0DEMLG10", "logisticsName": "示例国际物流有限公司"}
OPERATOR = {"operatorCode": "91610131MA0DEMCP1R", "operatorName": "示例监管场所经营有限公司"}
DECLARANT = {"agentCode": "91610131MA0DEMAG17", "agentName": "示例报关服务有限公司"}
DECLARING = {"declAgentCode": DECLARANT["agentCode"], "declAgentName": DECLARANT["agentName"]}
PRODUCER = {"ownerCode": "91610131MA0DEMPD1X", "ownerName": "示例工贸有限公司"}
ZONE = {"iacCode": "91610131MA0DEMQN1W", "iacName": "示例保税仓储有限公司", "emsNo": "T9000W000001"}
PAYER = {"payCode": "91610131MA0DEMPY1F", "payName": "示例支付有限公司"}

ORDER_NO = "DD202611200001"
BOOKING_NO = "DC202611200001"
WAYBILL_NO = "YD202611200001"
BILL_NO = "999-20261120"
LIST_NO = "90002026E000000001"
CUSTOMS = "9000"
RETURN_NO = "TH202611200001"
