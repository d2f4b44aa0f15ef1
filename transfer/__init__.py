"""Fine-tunes image classifiers: datasets, backbones, freezing, training, prediction.

The package never imports Streamlit; the pages only show what it does.
"""
