# SPDX-License-Identifier: MIT
from types import TracebackType
from typing import (
    Any, Callable, Collection, Dict, Iterable, List, Optional, Tuple, Type,
    TypeVar, Union)

__version__: str
__all__: List[str]

trace_rpc: int

class Symlink(str): ...

class Mapper:
    kind: str
    views: Dict[str, Tuple[Callable[[Any], Union[str, bytes]],
                           Optional[Callable[[Any, bytes], Any]]]]
    def read(self, o: Any) -> Union[str, bytes]: ...
    def list(self, o: Any) -> Iterable[Any]: ...
    def get(self, o: Any, name: str) -> Any: ...
    # And if there are such:
    # def write(self, o: Any, data: bytes) -> Any: ...
    # def set(self, o: Any, name: str, data: bytes) -> object: ...
    # def delete(self, o: Any, name: str) -> object: ...
    # def rename(self, o: Any, name: str, new: str) -> object: ...

_Mapper = TypeVar("_Mapper", bound=Type[Mapper])

def mapper(*types: type) -> Callable[[_Mapper], _Mapper]: ...

class _Absent: ...

ABSENT: _Absent

_Callback = TypeVar("_Callback", bound=Callable[
    [str, Any, Any, Optional[str]], object])

def on_change(callback: _Callback) -> _Callback: ...

PROTECT: Tuple[str, ...]
REDACT: Tuple[str, ...]
SHADOW: Tuple[str, ...]

class Server:
    addr: str
    @property
    def port(self) -> int: ...
    @property
    def url(self) -> str: ...
    def stop(self) -> None: ...
    def stats(self) -> Dict[str, Union[int, float, str]]: ...
    def __enter__(self) -> Server: ...
    def __exit__(
        self, kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType]) -> None: ...

def servers() -> List[Server]: ...
def program() -> str: ...

def serve(
    addr: Union[None, str, Iterable[str]] = ...,
    port: int = ...,
    mount_port: int = ...,
    root: Any = ...,
    *,
    readonly: bool = ...,
    code: bool = ...,
    uids: Optional[Collection[int]] = ...,
    public: bool = ...,
    portmap: bool = ...,
    tcp_only: bool = ...,
    state_dir: Optional[str] = ...,
    include: Union[None, str, Iterable[str]] = ...,
    exclude: Union[None, str, Iterable[str]] = ...,
    private: bool = ...,
    sequences: str = ...,
    views: bool = ...,
    control: str = ...,
    newline: str = ...,
    protect: Optional[Iterable[str]] = ...,
    shadow: Optional[Iterable[str]] = ...,
    gil: str = ...,
    timeout: float = ...,
    patience: float = ...,
    max_nodes: int = ...,
    max_file: int = ...,
    threads: Optional[int] = ...,
    lease: Optional[int] = ...,
    instance: Optional[str] = ...,
    log: Optional[str] = ...,
    tails: Union[str, Iterable[str]] = ...,
) -> Server: ...
