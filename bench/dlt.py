"""Reads the bench's resources by dlt into Parquet files: dlt.py rest_api|arrow BASE DIR RESOURCES.

rest_api is dlt's own source for REST APIs; arrow makes a table of each page and spares dlt the looking at rows. Both are
tuned: resources in parallel, buffers so large that files are written in big pieces, no state beside the rows.
"""

import glob
import os
import sys

mode, base, folder, resources = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
os.environ.update({
    "DLT_DATA_DIR": os.path.join(folder, "data"),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "EXTRACT__WORKERS": str(resources),
    "EXTRACT__MAX_PARALLEL_ITEMS": "20",
    "NORMALIZE__WORKERS": "1",
    "LOAD__WORKERS": str(resources),
    "DATA_WRITER__BUFFER_MAX_ITEMS": "100000",
    "DATA_WRITER__FILE_MAX_ITEMS": "1000000",
    "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "100000",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
})

import dlt
import pyarrow.parquet

names = [f"contacts_{n}" for n in range(resources)]


def by_rest_api():
    from dlt.sources.rest_api import rest_api_source

    return rest_api_source({
        "client": {
            "base_url": base,
            "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
        },
        "resource_defaults": {
            "write_disposition": "append",
            "parallelized": True,
            "endpoint": {"data_selector": "results"},
        },
        "resources": [{"name": name, "endpoint": {"path": name}} for name in names],
    })


def by_arrow():
    import io

    import pyarrow.json
    import requests

    def pages(name):
        session, after = requests.Session(), None
        # A page is one object of a line: its results are a list of structs, whose elements are the rows.
        options = pyarrow.json.ReadOptions(use_threads=False, block_size=16 << 20)
        while True:
            answer = session.get(f"{base}/{name}", params={"after": after})
            answer.raise_for_status()
            page = pyarrow.json.read_json(io.BytesIO(answer.content), read_options=options)
            rows = page.column("results").combine_chunks().flatten()
            yield pyarrow.Table.from_struct_array(rows).flatten()
            if "paging" not in page.column_names:
                return
            after = page.column("paging")[0].as_py()["next"]["after"]

    return [dlt.resource(pages, name=name, write_disposition="append", parallelized=True)(name) for name in names]


pipeline = dlt.pipeline(
    "bench", dataset_name="shop",
    destination=dlt.destinations.filesystem(bucket_url="file://" + os.path.join(folder, "lake")),
)
pipeline.run(by_rest_api() if mode == "rest_api" else by_arrow(), loader_file_format="parquet")
files = [path for name in names for path in glob.glob(os.path.join(folder, "lake", "shop", name, "*.parquet"))]
print(sum(pyarrow.parquet.read_metadata(path).num_rows for path in files))
