"""What Mosaic refuses a whole file over, or dies of."""

from .nodes import ArrayNode, Node, ObjectNode
from .values import array_of


def crashes_mosaic(root: Node) -> bool:
    """Whether reading a node would fail in numpy or end Mosaic: arrays that do not fit their bytes, faces without vertices."""
    todo, seen = [root], set()
    while todo:
        node = todo.pop()
        if isinstance(node, (list, tuple)) or type(node) in (ObjectNode, ArrayNode):
            if id(node) in seen:
                continue
            seen.add(id(node))
        if type(node) is ObjectNode:
            todo += (node.args, node.state)
            fields = node.fields()
            vertices, triangles = array_of(fields.get("vertices")), array_of(fields.get("triangles"))
            if (
                vertices is not None
                and triangles is not None
                and triangles.size
                and (triangles.dtype.kind not in "iu" or triangles.min() < 0 or triangles.max() >= len(vertices))
            ):
                return True
        elif type(node) is ArrayNode:
            if node.values is None and not (node.trouble or "").startswith("its dtype"):
                return True
        elif isinstance(node, (list, tuple)):
            todo += node
    return False
