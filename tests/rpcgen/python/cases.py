"""What output in Python must do.  Each function is a test, and its name the
sentence it proves.  They run in every Python that can be found, pytest or
no: `python cases.py` prints TAP.  odd.py, hide.py, nfs3.py and portmap.py, made
of odd.x and so on, are on sys.path, as are rpchelp.py and rpc.py.
"""

import asyncio
import os
import struct
import sys
import threading
import traceback
import warnings

import hide
import nfs3
import odd
import original
import portmap
import rpc
import rpchelp
from rpchelp import XdrError


def u32(*numbers):
    return struct.pack('>%dI' % len(numbers), *numbers)


def raises(kind, function, *args):
    """The exception, which must come."""
    try:
        value = function(*args)
    except kind as e:
        return e
    raise AssertionError('no %s: %r' % (kind.__name__, value))


def there_and_back(value, codec=None):
    codec = codec or type(value)
    b = codec.pack(value)
    assert len(b) % 4 == 0
    assert codec.unpack(b) == (value, len(b))
    # At an offset, too, and with something behind it.
    assert codec.unpack(bytes(8) + b + b'more', 8) == (value, len(b) + 8)
    # Cut anywhere, it is an XdrError and nothing else.
    for n in range(0, len(b), 4 if len(b) < 2000 else 400):
        raises(XdrError, rpchelp.whole, codec, b[:n])
    raises(XdrError, rpchelp.whole, codec, b + bytes(4))
    return b


def items(cls, n):
    return [cls(*[i * 10 + j for j in range(len(cls.__slots__))])
            for i in range(n)]


# ------------------------------------------------- constants and names --


def test_constants_and_enumerators_are_names_at_top_level():
    assert (odd.A, odd.B, odd.HEX, odd.NEG) == (3, 3, 255, -1)
    assert (odd.ZERO, odd.ONE, odd.FIVE, odd.SIX) == (0, 1, 5, 6)
    assert odd.FIVE is odd.plain.FIVE


def test_octal_constants_are_octal():
    assert odd.OCTAL == 8


def test_text_constants_are_bytes():
    assert odd.TEXT == b'caf\\q "x"'


def test_keywords_and_keywords_with_underscores_get_one_more():
    assert (odd.from_, odd.in_, odd.None_, odd.async_) == (4, 4, 7, 8)
    assert odd.reserved.__slots__ == (
        'from_', 'def_', 'def__', 'self_', 'pack_', 'x__x', 'import_')
    v = odd.reserved(1, 2, 3, 4, 5, 6, odd.reserved_import(7, 8))
    assert there_and_back(v) == u32(1, 2, 3, 4, 5, 6, 7, 8)
    assert v.import_.in____ == 8


def test_enumerators_may_be_called_like_what_enums_have():
    assert [int(v) for v in odd.other] == [1, 2, 3, 4, 5]
    assert (odd.mro, odd.name, odd.unpack) == (1, 2, 3)


def test_types_may_be_called_like_what_generated_code_uses():
    assert there_and_back([odd.len(3), odd.len(4)],
                          rpchelp.opt_data(odd.len)) == u32(1, 3, 1, 4, 0)


def test_names_of_the_idl_and_locals_of_functions_do_not_hide_each_other():
    tail = [hide.tail(hide.items, [1, 2], b'abc')]
    there_and_back(tail, rpchelp.opt_data(hide.tail))
    raises(XdrError, hide.tail.pack_list, [hide.tail(1, [1], b'abcd')])
    raises(XdrError, hide.tail.pack_list, [hide.tail(1, [1, 2, 3], b'')])
    there_and_back([hide.first([1, 2]), hide.first([])],
                   rpchelp.opt_data(hide.first))
    there_and_back(hide.u(hide.items, tail))
    there_and_back(hide.u(hide.heads, hide.tree2(
        hide.tree2(x=b'1'), None, b'22')))
    there_and_back(hide.u(hide.item))
    there_and_back(hide.fix(hide.item, hide.reversed(1, b'x', bytes(8))))


# --------------------------------------------------------------- values --


def parts(**changes):
    v = odd.fixed_parts(1, -2, 3, 0.5, -0.25, bytes(range(16)), True,
                        b'12345', odd.FIVE)
    for name, value in changes.items():
        setattr(v, name, value)
    return v


def test_members_of_fixed_size_are_one_run_of_bytes():
    b = there_and_back(parts())
    assert b == (u32(1) + struct.pack('>qQfd', -2, 3, 0.5, -0.25) +
                 bytes(range(16)) + u32(1) + b'12345\0\0\0' + u32(5))


def test_numbers_out_of_their_range_are_refused():
    for changes in (dict(u=-1), dict(u=1 << 32), dict(h=1 << 63),
                    dict(uh=-1), dict(f=1e300), dict(u='1'), dict(u=None)):
        raises(XdrError, parts(**changes).pack)


def test_opaques_of_another_size_are_neither_cut_nor_filled():
    for changes in (dict(five=b'1234'), dict(five=b'123456'),
                    dict(five='12345'), dict(q=None), dict(q=bytes(15))):
        raises(XdrError, parts(**changes).pack)


def test_a_bool_is_0_or_1_both_ways():
    raises(XdrError, parts(t=2).pack)
    raises(XdrError, odd.by_bool.unpack, u32(2, 0))
    b = bytearray(parts().pack())
    b[51] = 2
    assert 'bool' in str(raises(XdrError, odd.fixed_parts.unpack, bytes(b)))


def test_an_enum_is_one_of_its_values_both_ways():
    raises(XdrError, parts(e=2).pack)
    b = parts().pack()
    e = raises(XdrError, odd.fixed_parts.unpack, b[:-1] + b'\2')
    assert 'plain' in str(e)
    raises(XdrError, odd.plain.unpack, u32(2))
    raises(XdrError, odd.plain.pack, 2)


def test_enums_decode_to_members_of_the_enum():
    v, _ = odd.fixed_parts.unpack(parts().pack())
    assert v.e is odd.FIVE
    assert odd.switched.unpack(u32(1, 9))[0].e is odd.ONE
    assert odd.plain.unpack(u32(6)) == (odd.SIX, 4)


def test_members_left_out_have_a_value_or_are_missed_when_packing():
    assert nfs3.nfstime3().pack() == bytes(8)
    assert nfs3.nfs_fh3().pack() == bytes(4)
    raises(XdrError, nfs3.fattr3().pack)
    raises(XdrError, nfs3.wcc_data().pack)
    raises(TypeError, odd.fixed_parts, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    raises(TypeError, lambda: nfs3.nfstime3(hours=1))


def test_misspelt_members_are_refused():
    raises(AttributeError, setattr, nfs3.nfstime3(), 'second', 1)


def test_values_are_compared_by_their_members():
    assert nfs3.nfstime3(1, 2) == nfs3.nfstime3(1, 2)
    assert nfs3.nfstime3(1, 2) != nfs3.nfstime3(1, 3)
    assert nfs3.nfstime3(1, 2) != nfs3.specdata3(1, 2)
    assert repr(nfs3.nfstime3(1, 2)) == 'nfstime3(seconds=1, nseconds=2)'


def test_long_data_is_clipped_when_shown():
    assert len(repr(nfs3.nfs_fh3(bytes(5000)))) < 500


def test_structs_without_bytes_take_none():
    assert there_and_back(odd.empty()) == b''
    assert there_and_back(odd.nothing(b'')) == b''
    raises(XdrError, odd.nothing(b'x').pack)


def test_a_short_message_is_an_xdr_error_and_no_struct_error():
    e = raises(XdrError, nfs3.fattr3.unpack, bytes(83))
    assert isinstance(e.__cause__, struct.error)
    raises(XdrError, rpchelp.r_uint.unpack, b'123')
    raises(XdrError, rpchelp.r_hyper.unpack, b'1234567')
    raises(XdrError, nfs3.filename3.unpack, b'')


# --------------------------------------------------------------- maxima --


def test_a_string_is_no_longer_than_its_maximum_both_ways():
    assert odd.short_name.pack(b'12345678') == u32(8) + b'12345678'
    raises(XdrError, odd.short_name.pack, b'123456789')
    raises(XdrError, odd.short_name.unpack, u32(9) + b'123456789\0\0\0')
    raises(XdrError, odd.switched(odd.FIVE, b'1234').pack)
    raises(XdrError, odd.switched.unpack, u32(5, 4) + b'1234')
    raises(XdrError, nfs3.nfs_fh3(bytes(65)).pack)
    raises(XdrError, nfs3.nfs_fh3.unpack, u32(65) + bytes(68))


def test_an_array_has_no_more_items_than_its_maximum_both_ways():
    assert odd.plains.pack([odd.ONE, 5]) == u32(2, 1, 5)
    raises(XdrError, odd.plains.pack, [1, 1, 1])
    raises(XdrError, odd.plains.unpack, u32(3, 1, 1, 1))
    raises(XdrError, odd.node(b'', [odd.node(b'', [])] * 4).pack)
    raises(XdrError, odd.node.unpack, u32(0, 4) + bytes(32))


def test_a_count_of_more_than_the_bytes_could_hold_is_refused_at_once():
    raises(XdrError, rpchelp.arr(odd.plain, rpchelp.var).unpack,
           u32(0x40000000, 0))
    v = some_arrays()
    v.dd = []
    b = v.pack()
    at = b.index(u32(1, 7, 0, 0)) + 12      # behind `pointed`
    assert odd.arrays.unpack(b)[0] == v
    raises(XdrError, odd.arrays.unpack,
           b[:at] + u32(0x10000000) + b[at + 4:])


def some_arrays():
    return odd.arrays(
        ints=[1, -2, 3], big=[1 << 63, 5], keys=[b'123456789'],
        enums=[odd.SIX, odd.ZERO], flags=[True, False], parts=[parts()],
        names=[b'', b'12345678'], lists=[[], [odd.last(1, b'x')]],
        inline_list=[odd.last(5, b'abcd')], pointed=[odd.pointer_node(7)],
        dd=[0.5, -1.0], longer=bytes(5000), k=b'987654321')


def test_arrays_of_anything_come_back():
    there_and_back(some_arrays())


def test_arrays_of_fixed_size_have_just_that():
    for name, value in (('ints', [1, 2]), ('flags', [True] * 3),
                        ('big', [1, 2, 3]), ('keys', [b'1'] * 3),
                        ('keys', [b'1']), ('parts', [parts()] * 2)):
        v = some_arrays()
        setattr(v, name, value)
        raises(XdrError, v.pack)


def test_strings_are_bytes_and_nothing_else():
    raises(XdrError, odd.short_name.pack, 'text')
    raises(XdrError, odd.last.pack_list, [odd.last(1, 'text')])
    assert type(odd.short_name.unpack(u32(4) + b'text')[0]) is bytes


# ---------------------------------------------------------------- lists --


def test_a_linked_list_is_a_python_list_without_the_link():
    assert odd.last.__slots__ == ('a', 'b')
    v = [odd.last(1, b'x'), odd.last(2, b'')]
    b = there_and_back(v, odd.lastp)
    assert b == u32(1, 1, 1) + b'x\0\0\0' + u32(1, 2, 0, 0)


def test_a_list_whose_link_stands_in_the_middle_comes_back():
    b = there_and_back(items(odd.middle, 3), rpchelp.opt_data(odd.middle))
    # a0 (a1 (a2 () b2) b1) b0
    assert b == u32(1, 0, 1, 10, 1, 20, 0, 21, 11, 1)


def test_a_list_whose_link_stands_first_comes_back():
    b = there_and_back(items(odd.first, 3), rpchelp.opt_data(odd.first))
    assert b == u32(1, 1, 1, 0, 20, 10, 0)


def test_an_empty_list_is_a_zero():
    for cls in (odd.last, odd.middle, odd.first, odd.pointer_node):
        assert there_and_back([], rpchelp.opt_data(cls)) == u32(0)
        assert rpchelp.opt_data(cls).pack(None) == u32(0)


def test_a_list_that_is_no_option_has_an_item_at_least():
    for cls in (odd.middle, odd.first):
        raises(XdrError, cls.pack, [])
        there_and_back(items(cls, 2), cls)
        assert cls.pack(items(cls, 1)) == items(cls, 1)[0].pack()


def test_a_list_of_100000_items_needs_no_recursion():
    for cls in (odd.last, odd.middle, odd.first):
        if cls is odd.last:
            v = [odd.last(i, b'') for i in range(100000)]
        else:
            v = items(cls, 100000)
        b = rpchelp.opt_data(cls).pack(v)
        assert rpchelp.opt_data(cls).unpack(b) == (v, len(b))


def test_a_link_is_0_or_1():
    for cls in (odd.last, odd.middle, odd.first):
        raises(XdrError, rpchelp.opt_data(cls).unpack, u32(2) + bytes(40))


def test_an_rfc1057_pointer_type_is_a_list():
    assert odd.pointer.unpack(u32(1, 7, 1, 8, 0)) == (
        [odd.pointer_node(7), odd.pointer_node(8)], 20)
    there_and_back([odd.pointer_node(7)], odd.pointer)


def test_a_tree_stays_a_tree():
    v = odd.tree(1, odd.tree(2), odd.tree(3, None, odd.tree(4)))
    assert there_and_back(v) == u32(1, 1, 2, 0, 0, 1, 3, 0, 1, 4, 0, 0)
    v = odd.node(b'a', [odd.node(b'b', []), odd.node(b'c', [
        odd.node(b'', [])])])
    there_and_back(v)


def chain(n):
    v = None
    for i in range(n):
        v = odd.tree(i, v)
    return v


def test_nesting_ends_at_64_both_ways():
    there_and_back(chain(64))
    raises(XdrError, chain(65).pack)
    raises(XdrError, odd.tree.unpack, u32(0, 1) * 64 + u32(0, 0) + bytes(400))
    raises(XdrError, odd.node.unpack, u32(0, 1) * 100000)


# --------------------------------------------------------------- unions --


def test_a_union_is_its_discriminant_by_name_and_data():
    v = odd.by_int(2, parts())
    assert (v.n, v._data) == (2, parts())
    there_and_back(v)
    there_and_back(odd.by_int(2, None))
    there_and_back(odd.by_int(-1, odd.by_int_pair(3, [odd.last(1, b'z')])))
    there_and_back(odd.by_int(12345, None))
    there_and_back(odd.by_uint(4294967295, odd.node(b'', [])))
    there_and_back(odd.by_bool(True, [odd.last(1, b'')]))
    there_and_back(odd.by_bool(True, []))
    there_and_back(odd.by_bool(False))


def test_cases_that_fall_through_are_one_arm():
    assert there_and_back(odd.switched(odd.ZERO, 7)) == u32(0, 7)
    assert there_and_back(odd.switched(odd.ONE, 7)) == u32(1, 7)


def test_a_label_the_enum_lacks_is_valid_in_that_union():
    assert there_and_back(odd.switched(77)) == u32(77)
    raises(XdrError, odd.plain.unpack, u32(77))


def test_a_discriminant_without_an_arm_is_refused_both_ways():
    raises(XdrError, odd.switched(odd.SIX).pack)
    raises(XdrError, odd.switched.unpack, u32(6))
    raises(XdrError, odd.switched.unpack, u32(3))
    raises(XdrError, odd.by_uint(1).pack)
    raises(XdrError, odd.by_uint.unpack, u32(1))
    raises(XdrError, nfs3.GETATTR3res.unpack, u32(9999))


def test_optional_data_is_none_or_a_value():
    codec = rpchelp.opt_data(odd.reserved_import)
    assert there_and_back(None, codec) == u32(0)
    assert there_and_back(odd.reserved_import(1, 2), codec) == u32(1, 1, 2)
    raises(XdrError, codec.unpack, u32(2, 1, 2))


def test_padding_is_written_as_zero_and_read_as_anything():
    assert odd.short_name.unpack(u32(1) + b'a\1\2\3') == (b'a', 8)
    assert odd.short_name.pack(b'a') == u32(1) + b'a\0\0\0'
    assert there_and_back(b'123456789', odd.key) == b'123456789\0\0\0'


# ------------------------------------------ files of the first rpcgen --


def test_files_of_the_first_rpcgen_still_load_and_work():
    v = original.diropargs(dir=bytes(32), name=b'x')
    assert there_and_back(v) == bytes(32) + u32(1) + b'x\0\0\0'
    v = original.diropres(status=0, _data=original.diropres._arms[0](
        file=bytes(32), attributes=original.timeval(1, 2)))
    there_and_back(v)
    assert v._data.attributes.useconds == 2
    there_and_back(original.diropres(2))
    raises(TypeError, lambda: original.timeval(hours=1))


def test_lists_of_the_first_rpcgen_work_wherever_their_link_stands():
    v = [original.entry(fileid=i, name=b'n', cookie=b'abcd')
         for i in range(3)]
    okay = original.readdirres._arms[0]
    there_and_back(original.readdirres(0, okay(entries=v, eof=True)))
    there_and_back(original.readdirres(0, okay(entries=[], eof=True)))
    assert original.ll_test2.__slots__ == ('a', 'b')
    assert original.ll_test3.__slots__ == ('a',)
    b = there_and_back(items(original.ll_test2, 3),
                       rpchelp.opt_data(original.ll_test2))
    assert b == u32(1, 0, 1, 10, 1, 20, 0, 21, 11, 1)
    b = there_and_back(items(original.ll_test3, 3),
                       rpchelp.opt_data(original.ll_test3))
    assert b == u32(1, 1, 1, 0, 20, 10, 0)


def test_variable_arrays_of_the_first_rpcgen_pack_and_unpack():
    foo = original.foo
    for codec in (original.foo_var_arr_1, original.foo_var_arr_2):
        there_and_back([foo(1, 0.5), foo(2, 0.25), foo(3, 0.0)], codec)
        there_and_back([], codec)
    there_and_back([foo(1, 0.5)] * 2, original.foo_fixed_arr)
    raises(XdrError, original.foo_var_arr_1.pack, [foo(1, 0.5)] * 41)
    raises(XdrError, original.foo_fixed_arr.pack, [foo(1, 0.5)] * 3)
    raises(XdrError, original.filename.unpack, u32(256) + bytes(256))
    raises(XdrError, original.nfsdata.pack, bytes(8193))
    raises(XdrError, original.baz.unpack, u32(2, 0))
    there_and_back(original.baz(1, 1 << 40))
    there_and_back(foo(1, 2.0), original.maybe_foo)


def test_two_runs_give_the_same_bytes_and_no_date():
    import glob
    here = os.path.dirname(odd.__file__)
    again = glob.glob(os.path.join(here, 'again', 'odd.py'))[0]
    with open(odd.__file__) as one, open(again) as two:
        text = one.read()
        assert text == two.read()
    assert text.startswith(
        '# odd.py: from odd.x by pinefs-rpcgen; do not edit.\n')
    assert here not in text


def test_xdrlib_is_not_needed():
    assert 'xdrlib' not in sys.modules


# ------------------------------------------------- servers and clients --


class Goofy(odd.GOOFY_1):
    deliberately_unimplemented = ['handle_']

    def goofy_two(self, x, n):
        return odd.goofy_two_res(x.a + n, x.b + n)

    def goofy_text(self, text):
        return text[::-1]

    async def goofy_list(self, nodes):
        await asyncio.sleep(0.01)
        return [odd.last(n.x, b'') for n in nodes]

    def goofy_union(self, v):
        raise RuntimeError('this is a test: a traceback is due here')


class Goofy4(odd.GOOFY_4):
    def goofy_enum(self, values):
        return values[-1]


class Serving:
    """Goofy, versions 1 and 4, by one transport."""

    def __init__(self, kind, server=None):
        self.server = server or Goofy()
        self.transport = self.server.create_transport_server(0, kind)
        self.server.register(self.transport, portmap=False)
        Goofy4().register(self.transport, portmap=False)

    def __enter__(self):
        self.thread = self.transport.start()
        return self

    def __exit__(self, *exc):
        self.transport.stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    def client(self, cls=odd.GOOFY_1_client, **kw):
        kind = {rpc.TCPServer: rpc.TCPClient, rpc.UDPServer: rpc.UDPClient}
        return cls(kind[type(self.transport)](
            '127.0.0.1', self.transport.port, **kw))


KINDS = rpc.TCPServer, rpc.UDPServer


def test_a_client_calls_each_procedure_of_a_server():
    for kind in KINDS:
        with Serving(kind) as s, s.client() as c:
            assert c.GOOFY_NULL() is None
            assert c.goofy_two(odd.goofy_two_x(1, 2), 10) == \
                odd.goofy_two_res(11, 12)
            assert c.goofy_text(b'abc') == b'cba'
            with s.client(odd.GOOFY_4_client) as four:
                assert four.goofy_enum([odd.ONE, odd.SIX]) is odd.SIX


def test_a_server_method_may_be_async():
    for kind in KINDS:
        with Serving(kind) as s, s.client() as c:
            assert c.goofy_list([odd.pointer_node(5)]) == [odd.last(5, b'')]


def test_what_a_method_raises_is_a_system_error_for_the_caller():
    for kind in KINDS:
        with Serving(kind) as s, s.client() as c:
            raises(rpc.SystemErr, c.goofy_union, odd.by_int(5))
            assert c.goofy_text(b'go on') == b'no og'


def test_errors_of_rpc_come_as_exceptions():
    for kind in KINDS:
        with Serving(kind) as s, s.client() as c:
            t = c.transport
            raises(rpc.ProcUnavail, t.call, 0x20000099, 1, 6)
            raises(rpc.ProcUnavail, t.call, 0x20000099, 1, 5, u32(1))
            raises(rpc.ProgUnavail, t.call, 0x20000098, 1, 0)
            e = raises(rpc.ProgMismatch, t.call, 0x20000099, 2, 0)
            assert (e.low, e.high) == (1, 4)
            raises(rpc.GarbageArgs, t.call, 0x20000099, 1, 2, u32(5))
            raises(rpc.GarbageArgs, t.call, 0x20000099, 1, 2, u32(0, 0))
            xid = 77
            t.send(rpc.pack_call(xid, 0x20000099, 1, 0, rpcvers=3))
            reply = t.receive(5) if kind is rpc.UDPServer else t.receive()
            e = raises(rpc.RpcMismatch, rpc.unpack_reply, reply)
            assert (e.low, e.high) == (2, 2)


def test_check_host_ok_decides_who_may_call():
    class Picky(Goofy):
        def check_host_ok(self, host, cred, verf):
            assert host[0] == '127.0.0.1' and verf == rpc.NO_AUTH
            return cred[0] == rpc.AUTH_SYS

    for kind in KINDS:
        with Serving(kind, Picky()) as s:
            with s.client(cred=rpc.auth_sys(1000, 100, [5, 6])) as c:
                assert c.goofy_text(b'a') == b'a'
            with s.client() as c:
                e = raises(rpc.AuthError, c.goofy_text, b'a')
                assert e.stat == rpc.AUTH_TOOWEAK


def test_procedures_without_a_method_are_named_once_each():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        odd.GOOFY_1()
    assert sorted(str(w.message).split(': ')[1].split()[0] for w in seen) == [
        'goofy_list', 'goofy_text', 'goofy_two', 'goofy_union', 'handle_']
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        Goofy()
    assert seen == []


def test_servers_of_the_first_rpcgen_serve():
    class Nfs(original.NFS_PROGRAM_2):
        def NFSPROC_NULL(self, nothing):
            assert nothing is None

        def NFSPROC_LOOKUP(self, args):
            assert args.name == b'x'
            return original.diropres(2)

        def NFSPROC_READDIR(self, args):
            return original.readdirres(0, original.readdirres._arms[0](
                entries=[], eof=True))

    server = Nfs()
    transport = server.create_transport_server(0, rpc.TCPServer)
    server.register(transport, portmap=False)
    thread = transport.start()
    with rpc.TCPClient('127.0.0.1', transport.port) as c:
        assert c.call(100003, 2, 0) == b''
        assert c.call(100003, 2, 4, bytes(32) + u32(1) + b'x\0\0\0') == u32(2)
        assert c.call(100003, 2, 16, bytes(36) + u32(99)) == u32(0, 0, 1)
    transport.stop()
    thread.join(10)


def test_the_portmapper_is_told_of_a_server_and_of_its_end():
    listed = []

    class Portmapper(portmap.PMAP_PROG_2):
        deliberately_unimplemented = ['PMAPPROC_DUMP', 'PMAPPROC_CALLIT']

        def PMAPPROC_SET(self, m):
            listed.append((m.prog, m.vers, m.prot, m.port))
            return True

        def PMAPPROC_UNSET(self, m):
            listed[:] = [e for e in listed if e[:2] != (m.prog, m.vers)]
            return True

        def PMAPPROC_GETPORT(self, m):
            return [e[3] for e in listed
                    if e[:3] == (m.prog, m.vers, m.prot)][0]

    mapper = Portmapper()
    at = mapper.create_transport_server(0, rpc.UDPServer)
    mapper.register(at, portmap=False)
    mapper_thread = at.start()
    saved, rpc.PMAP_PORT = rpc.PMAP_PORT, at.port
    try:
        server = Goofy()
        transport = server.create_transport_server(0, rpc.TCPServer)
        server.register(transport)
        thread = transport.start()
        assert listed == [(0x20000099, 1, 6, transport.port)]
        assert rpc.portmap_getport(0x20000099, 1, 6) == transport.port
        transport.stop()
        thread.join(10)
        assert listed == []
    finally:
        rpc.PMAP_PORT = saved
        at.stop()
        mapper_thread.join(10)


def test_no_portmapper_is_a_line_on_stderr_and_no_failure():
    import contextlib
    import io
    import socket
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))        # answers nothing
        saved, rpc.PMAP_PORT = rpc.PMAP_PORT, s.getsockname()[1]
        text = io.StringIO()
        try:
            with contextlib.redirect_stderr(text):
                server = Goofy()
                transport = server.create_transport_server(0)
                server.register(transport)
        finally:
            rpc.PMAP_PORT = saved
    transport.sock.close()
    assert text.getvalue().count('\n') == 1
    assert 'portmapper' in text.getvalue()


def test_records_come_in_any_number_of_fragments():
    with Serving(rpc.TCPServer) as s, s.client() as c:
        t = c.transport
        call = rpc.pack_call(5, 0x20000099, 1, 2, u32(5) + b'abcde\0\0\0')
        for size in (1, 3, 4, 50, 5000):
            t.sock.sendall(rpc.pack_record(call, size))
            assert rpc.unpack_reply(t.receive()) == (
                5, u32(5) + b'edcba\0\0\0')


def test_trace_rpc_prints_each_call_on_descriptor_2():
    assert rpchelp.trace_rpc == 0
    r, w = os.pipe()
    saved = os.dup(2)
    os.dup2(w, 2)
    try:
        with Serving(rpc.TCPServer) as s, s.client() as c:
            c.goofy_text(b'before')
            rpchelp.trace_rpc = 1
            c.goofy_text(b'abc')
            rpchelp.trace_rpc = 0
            c.goofy_text(b'behind')
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(w)
        rpchelp.trace_rpc = 0
    with os.fdopen(r, 'rb') as f:
        assert f.read() == b"goofy_text(b'abc') = b'cba'\n"


def test_nfs3_messages_pass_between_a_python_server_and_client():
    t = nfs3.nfstime3(1, 2)
    attributes = nfs3.fattr3(
        nfs3.NF3DIR, 0o755, 2, 0, 0, 4096, 4096, nfs3.specdata3(0, 0), 1, 2,
        t, t, t)
    some = nfs3.post_op_attr(True, attributes)
    none = nfs3.post_op_attr(False)

    class Nfs(nfs3.NFS_PROGRAM_3):
        deliberately_unimplemented = [
            p.name for p in nfs3.NFS_PROGRAM_3.procs.values()]

        def NFSPROC3_GETATTR(self, args):
            assert args.object.data == b'handle'
            return nfs3.GETATTR3res(
                nfs3.NFS3_OK, nfs3.GETATTR3resok(attributes))

        def NFSPROC3_READ(self, args):
            return nfs3.READ3res(nfs3.NFS3_OK, nfs3.READ3resok(
                some, args.count, True, bytes(args.count)))

        def NFSPROC3_READDIRPLUS(self, args):
            return nfs3.READDIRPLUS3res(
                nfs3.NFS3_OK, nfs3.READDIRPLUS3resok(
                    some, bytes(8), nfs3.dirlistplus3([
                        nfs3.entryplus3(i, b'name%d' % i, i + 2, some,
                                        nfs3.post_op_fh3(True, nfs3.nfs_fh3(
                                            b'fh')))
                        for i in range(1, 100)], True)))

    server = Nfs()
    transport = server.create_transport_server(0, rpc.TCPServer)
    server.register(transport, portmap=False)
    thread = transport.start()
    fh = nfs3.nfs_fh3(b'handle')
    with nfs3.NFS_PROGRAM_3_client(
            rpc.TCPClient('127.0.0.1', transport.port)) as c:
        r = c.NFSPROC3_GETATTR(nfs3.GETATTR3args(fh))
        assert r.status == nfs3.NFS3_OK
        assert r._data.obj_attributes == attributes
        r = c.NFSPROC3_READ(nfs3.READ3args(fh, 0, 100001))
        assert r._data.data == bytes(100001)
        r = c.NFSPROC3_READDIRPLUS(
            nfs3.READDIRPLUS3args(fh, 0, bytes(8), 4096, 65536))
        entries = r._data.reply.entries
        assert [e.cookie for e in entries] == list(range(3, 102))
        assert entries[5].name_attributes == some
        raises(rpc.ProcUnavail, c.NFSPROC3_ACCESS,
               nfs3.ACCESS3args(fh, 63))
    transport.stop()
    thread.join(10)
    assert none.pack() == u32(0)


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith('test_')]
    print('1..%d' % len(tests))
    failed = 0
    for i, (name, function) in enumerate(tests):
        try:
            function()
            print('ok %d - %s' % (i + 1, name))
        except Exception:
            failed += 1
            print('not ok %d - %s' % (i + 1, name))
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
    assert threading.active_count() == 1
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
