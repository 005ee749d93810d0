"""Peers of `identity stitch`, each in a process of its own: identity.py MODE DIR FILE OUT.

clusters   scipy's connected components with building its matrix, from numbers; FILE is "blocks" or "shuffled"
polars     Polars numbers the keys of FILE, scipy finds the components, Polars writes the map
duckdb     DuckDB alone: numbers, and the loop by which Splink contracts clusters, written for it
splink     DuckDB numbers, Splink's own function finds the clusters

The last line is JSON: seconds by part.
"""

import json
import os
import sys
import time

mode, folder, file, out = sys.argv[1:5]
path = lambda name: os.path.join(folder, name)
parts, since = {}, time.time()


def done(part):
    global since
    parts[part] = round(time.time() - since, 3)
    since = time.time()


def components(a, b, n):
    """Numbers as they are: 32 bits. Weights of a byte, the smallest there are."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    matrix = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n)).tocsr()
    done("csr")
    labels = connected_components(matrix, directed=False)[1]
    done("clusters")
    return labels


def clusters():
    import numpy as np
    import scipy.sparse.csgraph  # noqa: F401

    a, b = (np.fromfile(path(f"{side}.{file}"), dtype=np.int32) for side in "ab")
    n = os.path.getsize(path(f"types.{file}"))
    done("reading")
    began = time.process_time()
    labels = components(a, b, n)
    parts["CPU of the two"] = round(time.process_time() - began, 3)
    labels.astype(np.int32).tofile(out)


def by_polars():
    import polars as pl

    edges = pl.read_parquet(file, columns=["left", "right"])
    done("keys")
    nodes = pl.concat([edges["left"], edges["right"]]).unique().to_frame("node").with_row_index("number")
    a = edges.select("left").join(nodes, left_on="left", right_on="node", how="left", maintain_order="left")["number"].to_numpy()
    b = edges.select("right").join(nodes, left_on="right", right_on="node", how="left", maintain_order="left")["number"].to_numpy()
    del edges
    done("numbers")
    labels = components(a.astype("int32"), b.astype("int32"), len(nodes))
    nodes.select("node", pl.Series("component", labels)).write_parquet(out, compression="snappy")
    done("map")


def connect():
    import duckdb

    con = duckdb.connect(":memory:")
    con.execute(f"set temp_directory = '{folder}'")
    con.execute("set preserve_insertion_order = false")
    return con


def numbered(con):
    """Integer surrogates, which are what makes the loop fast; distinct edges, both ways round."""
    con.execute(f"""
        create table raw as select "left", "right" from read_parquet('{file}');
        create table node as select row_number() over ()::integer as id, key from
            (select "left" as key from raw union select "right" from raw)""")
    con.execute("""
        create table edge as select distinct least(l.id, r.id) as a, greatest(l.id, r.id) as b
        from raw join node l on raw."left" = l.key join node r on raw."right" = r.key where l.id <> r.id;
        drop table raw""")


def by_duckdb():
    """Splink's loop (robinlinacre.com/connected_components): every cluster takes its smallest neighbour's name, settled
    clusters are moved out, edges within clusters are dropped."""
    con = connect()
    numbered(con)
    done("numbers")
    con.execute("""
        create table settled (id integer, cluster integer);
        create table member as select id, id as cluster from node;
        create table neighbour as select a, b from edge union all select b, a from edge;
        drop table edge""")
    rounds = 0
    while con.execute("select count(*) from neighbour").fetchone()[0]:
        rounds += 1
        con.execute("""
            create or replace table move as select a, least(a, min(b)) as b from neighbour group by a;
            insert into settled select m.* from member m anti join move on m.cluster = move.a;
            create or replace table member_next as select m.id, move.b as cluster from member m join move on m.cluster = move.a;
            create or replace table neighbour_next as select distinct x.b as a, y.b as b
                from neighbour n join move x on n.a = x.a join move y on n.b = y.a where x.b <> y.b;
            drop table member; alter table member_next rename to member;
            drop table neighbour; alter table neighbour_next rename to neighbour""")
    con.execute("insert into settled select * from member")
    done(f"clusters in {rounds} rounds")
    con.execute(f"copy (select key as node, cluster as component from settled join node using (id)) to '{out}' (format parquet)")
    done("map")


def by_splink():
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    con = connect()
    numbered(con)
    done("numbers")
    api = DuckDBAPI(con)
    nodes, edges = con.sql("select id from node"), con.sql("select a as id_l, b as id_r from edge")
    try:  # Splink 5 wants its frames registered
        nodes, edges = api.register(nodes, source_dataset_name="node_table"), api.register(edges, source_dataset_name="edge_table")
        found = cluster_pairwise_predictions_at_threshold(nodes, edges, node_id_column_name="id", edge_id_column_name_left="id_l", edge_id_column_name_right="id_r")
    except (AttributeError, TypeError):
        found = cluster_pairwise_predictions_at_threshold(nodes, edges, api, "id", "id_l", "id_r")
    done("clusters")
    con.execute(f"""copy (select key as node, cluster_id as component from "{found.physical_name}" join node using (id))
        to '{out}' (format parquet)""")
    done("map")


{"clusters": clusters, "polars": by_polars, "duckdb": by_duckdb, "splink": by_splink}[mode]()
print(json.dumps(parts))
