"""What the user sees: operators, panels, menus, hotkeys, preferences, drag and drop."""
