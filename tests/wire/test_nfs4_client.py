"""The client of version 4 checked by itself, without a server."""

import struct

import nfs4 as x
import nfs4_client
import nfs4_ops as op
import pytest


@pytest.mark.parametrize('number', sorted(op.ONE_OF_EACH),
                         ids=lambda n: op.name_of(n))
def test_an_operation_is_decoded_as_it_was_encoded(number):
    encoded = op.encode(op.ONE_OF_EACH[number])
    assert struct.unpack_from('>I', encoded)[0] == number
    decoded, end = x.nfs_argop4.unpack(encoded)
    assert end == len(encoded)
    assert decoded == op.ONE_OF_EACH[number]


def test_there_is_one_operation_of_each_number():
    assert sorted(op.ONE_OF_EACH) == list(range(3, 76))


def test_bitmaps_have_no_word_too_many():
    assert op.bitmap([]) == []
    assert op.bitmap([0]) == [1]
    assert op.bitmap([33, 1]) == [2, 2]
    assert op.bitmap([81]) == [0, 0, 1 << 17]
    for some in ([], [0], [31, 32], [0, 33, 82]):
        assert op.bits(op.bitmap(some)) == some


def test_attributes_are_written_in_bit_order_and_read_again():
    given = dict(size=7, mode=0o640, owner=b'12', fsid=(1, 2),
                 time_modify=(-1, 999999999), type=op.REG)
    encoded = op.fattr(**given)
    assert encoded.attrmask == op.bitmap([1, 4, 8, 33, 36, 53])
    assert encoded.attr_vals[:12] == struct.pack('>IQ', op.REG, 7)
    assert op.values(encoded) == given


@pytest.mark.parametrize('vals, why', [
    (bytes(12), 'left'), (bytes(4), ''), (b'', '')])
def test_attributes_of_another_length_are_noticed(vals, why):
    with pytest.raises((AssertionError, struct.error), match=why):
        op.values(x.fattr4(op.bitmap([4]), vals))


def test_padding_other_than_zero_is_noticed():
    with pytest.raises(AssertionError, match='padding'):
        op.values(x.fattr4(op.bitmap([36]), b'\0\0\0\1a\0\0\1'))


def test_a_compound_is_what_the_rfc_draws():
    body = nfs4_client.pack_compound(1, [op.putrootfh(), op.raw(7777)],
                                     tag=b'abc')
    assert body == (b'\0\0\0\3abc\0' + struct.pack(
        '>IIII', 1, 2, x.OP_PUTROOTFH, 7777))


def test_a_reply_that_contradicts_itself_is_noticed():
    good = x.COMPOUND4res(0, b'', [x.nfs_resop4(
        x.OP_PUTROOTFH, x.PUTROOTFH4res(0))])
    assert nfs4_client.Reply(good.pack()).status == 0
    good.status = 13
    with pytest.raises(AssertionError):
        nfs4_client.Reply(good.pack())
    with pytest.raises(AssertionError):
        nfs4_client.Reply(good.pack() + bytes(4))
