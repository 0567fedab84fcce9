"""Large objects, by SQL and as libpq does it: by FunctionCall."""
import struct

from differ.messages import SYNC, function_call, run
from differ.scenario import scenario, send

_OID = 700001
_FRESH = f"SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE oid = {_OID}"


def _i(number):
    return struct.pack("!i", number)


def _call(oid, *arguments):
    return send(function_call(oid, *arguments, formats=(1,), result=1))


LO_OPEN, LO_CLOSE, LOREAD, LOWRITE, LO_LSEEK, LO_UNLINK, LO_TELL, LO_TRUNCATE = 952, 953, 954, 955, 956, 964, 958, 1004

SCENARIOS = [
    scenario("by_sql", f"SELECT lo_create({_OID})", f"SELECT lo_put({_OID}, 0, 'hello')", f"SELECT lo_get({_OID}), lo_get({_OID}, 1, 3)", f"SELECT lo_unlink({_OID})", f"SELECT lo_get({_OID})", setup=_FRESH),
    scenario("from_bytea", (run(f"SELECT lo_from_bytea({_OID}, $1)", bytes(range(256)), formats=(1,)), SYNC), (run(f"SELECT length(lo_get({_OID}))"), SYNC), f"SELECT lo_unlink({_OID})", setup=_FRESH),
    scenario("by_descriptor", "BEGIN", f"SELECT lo_create({_OID})", f"SELECT lo_open({_OID}, 393216)", "SELECT lowrite(0, 'some bytes')", "SELECT lo_lseek(0, 5, 0), lo_tell(0)", "SELECT loread(0, 100)", "SELECT lo_truncate(0, 4)", "SELECT lo_close(0)", f"SELECT lo_get({_OID})", "ROLLBACK", setup=_FRESH),
    scenario("by_function_call", "BEGIN", f"SELECT lo_create({_OID})", _call(LO_OPEN, struct.pack("!I", _OID), _i(0x60000)), _call(LOWRITE, _i(0), b"bytes \0 of a large object"), _call(LO_LSEEK, _i(0), _i(0), _i(0)), _call(LOREAD, _i(0), _i(10)), _call(LOREAD, _i(0), _i(1000)), _call(LO_TELL, _i(0)),
             _call(LO_TRUNCATE, _i(0), _i(3)), _call(LO_CLOSE, _i(0)), _call(LO_UNLINK, struct.pack("!I", _OID)), "COMMIT", setup=_FRESH),
    scenario("large_writes_by_function_call", "BEGIN", f"SELECT lo_create({_OID})", _call(LO_OPEN, struct.pack("!I", _OID), _i(0x60000)), *[_call(LOWRITE, _i(0), bytes([i]) * 30000) for i in range(4)], _call(LO_LSEEK, _i(0), _i(0), _i(0)), _call(LOREAD, _i(0), _i(100000)), "ROLLBACK", setup=_FRESH),
    scenario("descriptor_outside_a_transaction", f"SELECT lo_create({_OID})", f"SELECT lo_open({_OID}, 393216)", "SELECT loread(0, 10)", _call(LOREAD, _i(0), _i(10)), f"SELECT lo_unlink({_OID})", setup=_FRESH),
    scenario("errors", "SELECT lo_get(799999)", "SELECT lo_unlink(799999)", "BEGIN", _call(LO_OPEN, struct.pack("!I", 799999), _i(0x40000)), "ROLLBACK", "SELECT lo_import('/nonexistent')", "SELECT lo_export(799999, '/nonexistent/x')"),
]
