# Such a file the first rpcgen made, of its description of version 2 of NFS
# and of its own tests, in the spelling it had; shortened.
import rpchelp
NFS_OK = 0
NFSERR_NOENT = 2
MAXDATA = 8192
MAXNAMLEN = 255
COOKIESIZE = 4
FHSIZE = 32
nfsdata = rpchelp.opaque (rpchelp.var, MAXDATA)
stat = rpchelp.r_int
fhandle = rpchelp.opaque (rpchelp.fixed, FHSIZE)
timeval = rpchelp.struct ('timeval', [('seconds',rpchelp.r_uint),('useconds',rpchelp.r_uint)])
filename = rpchelp.string (rpchelp.var, MAXNAMLEN)
diropargs = rpchelp.struct ('diropargs', [('dir',fhandle),('name',filename)])
diropres = rpchelp.union ('diropres', stat, 'status', {NFS_OK : rpchelp.struct ('diropok', [('file',fhandle),('attributes',timeval)]), None : rpchelp.r_void})
nfscookie = rpchelp.opaque (rpchelp.fixed, COOKIESIZE)
readdirargs = rpchelp.struct ('readdirargs', [('dir',fhandle),('cookie',nfscookie),('count',rpchelp.r_uint)])
entry = rpchelp.linked_list ('entry', 3, [('fileid',rpchelp.r_uint),('name',filename),('cookie',nfscookie),('nextentry',rpchelp.opt_data (lambda : entry))])
readdirres = rpchelp.union ('readdirres', stat, 'status', {NFS_OK : rpchelp.struct ('readdirok', [('entries',rpchelp.opt_data (lambda : entry)),('eof',rpchelp.r_bool)]), None : rpchelp.r_void})
foo = rpchelp.struct ('foo', [('a',rpchelp.r_int),('b',rpchelp.r_double)])
baz = rpchelp.union ('baz', rpchelp.r_int, 'b', {0 : rpchelp.r_int, 1 : rpchelp.r_hyper})
maybe_foo = rpchelp.opt_data (lambda : foo)
foo_fixed_arr = rpchelp.arr (foo, rpchelp.fixed, 2)
foo_var_arr_1 = rpchelp.arr (foo, rpchelp.var, 40)
foo_var_arr_2 = rpchelp.arr (foo, rpchelp.var, None)
ll_test2 = rpchelp.linked_list ('ll_test2', 2, [('a',rpchelp.r_uint),('foo_link',rpchelp.opt_data (lambda : ll_test2)),('b',rpchelp.r_uint)])
ll_test3 = rpchelp.linked_list ('ll_test3', 1, [('foo_link',rpchelp.opt_data (lambda : ll_test3)),('a',rpchelp.r_uint)])
class NFS_PROGRAM_2(rpchelp.Server):
	prog = 100003
	vers = 2
	procs = {0 : rpchelp.Proc ('NFSPROC_NULL', rpchelp.r_void, [rpchelp.r_void]),
	4 : rpchelp.Proc ('NFSPROC_LOOKUP', diropres, [diropargs]),
	16 : rpchelp.Proc ('NFSPROC_READDIR', readdirres, [readdirargs])}
