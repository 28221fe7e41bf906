"""Views of a sweep over its axes: heatmap, slices and the axes that matter."""
