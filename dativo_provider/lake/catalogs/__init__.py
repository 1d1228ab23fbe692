"""Kinds of catalogs, one leaf each, all through PyIceberg's own. https://py.iceberg.apache.org/configuration/#catalogs"""
