def page(out): return ""
