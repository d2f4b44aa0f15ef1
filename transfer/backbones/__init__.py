"""Pretrained backbones: the catalogue, their weights, their blocks and cuts."""
