"""A scene is written down as a recipe, from which its picture can be made again."""
