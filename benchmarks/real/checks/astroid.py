"""Code is parsed, inferred and printed again."""

import astroid

module = astroid.parse(
    "class A:\n    x = 1\n\n    def f(self):\n        return [self.x] * 2\n\n\na = A().f()\n"
)
(value,) = module["a"].inferred()
assert [element.value for element in value.elts] == [1, 1]
assert [node.name for node in module.nodes_of_class(astroid.nodes.FunctionDef)] == ["f"]
assert "return [self.x] * 2" in module.as_string()
