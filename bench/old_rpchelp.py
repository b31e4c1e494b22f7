# SPDX-License-Identifier: MIT
"""An rpchelp like that of 2003, for pyxdrbench: descriptors that know nothing
but their parts, and put them into xdrlib's Packer one by one.  Checks nothing
that xdrlib does not."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter('ignore', DeprecationWarning)
    from xdrlib import Packer, Unpacker

fixed, var = 'fixed', 'var'


class _Codec:
    """What the others share: a whole message from and to bytes."""

    def to_bytes(self, v):
        p = Packer()
        self.put(p, v)
        return p.get_buffer()

    pack = to_bytes

    def unpack(self, b):
        u = Unpacker(b)
        return self.get(u), u.get_position()


class _Basic(_Codec):
    def __init__(self, name):
        self.pack_it = getattr(Packer, 'pack_' + name)
        self.unpack_it = getattr(Unpacker, 'unpack_' + name)

    def put(self, p, v):
        self.pack_it(p, v)

    def get(self, u):
        return self.unpack_it(u)


r_int, r_uint, r_bool = _Basic('int'), _Basic('uint'), _Basic('bool')
r_uhyper = _Basic('uhyper')


class _Void(_Codec):
    def put(self, p, v):
        pass

    def get(self, u):
        return None


r_void = _Void()


class opaque(_Codec):
    def __init__(self, kind, most):
        self.kind, self.most = kind, most

    def put(self, p, v):
        if self.kind == fixed:
            p.pack_fopaque(self.most, v)
            return
        if self.most is not None and len(v) > self.most:
            raise ValueError('%d bytes, at most %d' % (len(v), self.most))
        p.pack_opaque(v)

    def get(self, u):
        if self.kind == fixed:
            return u.unpack_fopaque(self.most)
        v = u.unpack_opaque()
        if self.most is not None and len(v) > self.most:
            raise ValueError('%d bytes, at most %d' % (len(v), self.most))
        return v


string = opaque


class _Value:
    """Of a struct or union: its members, and of what type it is."""

    def __init__(self, codec, names, values):
        self.codec = codec
        for name, v in zip(names, values):
            setattr(self, name, v)

    def pack(self):
        return self.codec.to_bytes(self)


class struct(_Codec):
    def __init__(self, name, members):
        self.name, self.members = name, members
        self.names = [name for name, _ in members]

    def __call__(self, *values):
        return _Value(self, self.names, values)

    def put(self, p, v):
        for name, codec in self.members:
            codec.put(p, getattr(v, name))

    def get(self, u):
        return self(*[codec.get(u) for _, codec in self.members])


class union(_Codec):
    def __init__(self, name, switch, switch_name, arms):
        self.name, self.switch, self.switch_name = name, switch, switch_name
        self.arms = arms

    def __call__(self, which, data=None):
        return _Value(self, (self.switch_name, '_data'), (which, data))

    def arm(self, which):
        return self.arms[which if which in self.arms else None]

    def put(self, p, v):
        which = getattr(v, self.switch_name)
        self.switch.put(p, which)
        self.arm(which).put(p, v._data)

    def get(self, u):
        which = self.switch.get(u)
        return self(which, self.arm(which).get(u))


class linked_list(struct):
    """Behind opt_data: a list of structs, each after a bool."""

    def put_list(self, p, items):
        for v in items:
            p.pack_bool(True)
            self.put(p, v)
        p.pack_bool(False)

    def get_list(self, u):
        items = []
        while u.unpack_bool():
            items.append(self.get(u))
        return items


class opt_data(_Codec):
    def __init__(self, find):
        self.find = find

    def put(self, p, v):
        self.find().put_list(p, v)

    def get(self, u):
        return self.find().get_list(u)
