MIN_PART_SIZE: int
MAX_PART_SIZE: int
MAX_PARTS: int
MAX_FILE_SIZE: int

def choose_part_ranges(content_length: int, minimum_part_size: int) -> list[tuple[int, int]]: ...
def plan_parts(
    content_length: int, recommended_part_size: int, minimum_part_size: int
) -> list[tuple[int, int]]: ...

__all__ = [
    'MAX_FILE_SIZE',
    'MAX_PARTS',
    'MAX_PART_SIZE',
    'MIN_PART_SIZE',
    'choose_part_ranges',
    'plan_parts',
]
