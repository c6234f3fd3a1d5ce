from ..scan.path import LocalPath

def find_files(
    directory: str, prefix: str, names: list[str], path_class: type[LocalPath]
) -> list[LocalPath | None]: ...

__all__ = ['find_files']
