"""Where targets are made: a directory or a bucket, for the loader, for readers, and to look at its objects."""

import json
import os
import pathlib
import re

import obstore
import obstore.store

AWS = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"
AZURE = "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"
VERSION = re.compile(r"_delta_log/(\d{20})\.json")


class Place:
    """`options` are environment variables that the loader and the readers understand alike."""

    def __init__(self, url, options):
        self.url, self.options = url.rstrip("/"), options
        self.is_local = "://" not in self.url

    @classmethod
    def of_server(cls, server, is_lossy=False):
        """The bucket of a server that scripts/servers.sh has started."""
        endpoint = os.environ[f"{server.upper()}_{'LOSSY_' if is_lossy else ''}ENDPOINT"]
        if server == "azurite":
            return cls("az://lake", {name: os.environ[name] for name in AZURE} | {"AZURE_STORAGE_ENDPOINT": endpoint, "AZURE_ALLOW_HTTP": "true"})
        return cls("s3://lake", {name: os.environ[name] for name in AWS} | {"AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"})

    def target(self, name):
        return Target(self, f"{self.url}/{name}")


class Target:
    def __init__(self, place, url):
        self.place, self.url = place, url
        if place.is_local:
            pathlib.Path(url).mkdir(parents=True, exist_ok=True)
            self.store = obstore.store.LocalStore(url)
        else:
            config = {name: value for name, value in place.options.items() if not name.endswith("_ALLOW_HTTP")}
            self.store = obstore.store.from_url(url, config=config, client_options={"allow_http": True})
        self.numbers = {}

    @property
    def options(self):
        return self.place.options

    def keys(self, prefix=""):
        return sorted(found["path"] for chunk in obstore.list(self.store, prefix or None) for found in chunk)

    def read(self, key):
        return bytes(obstore.get(self.store, key).bytes())

    def tables(self):
        """The event types' directories."""
        prefixes = obstore.list_with_delimiter(self.store)["common_prefixes"]
        return sorted(prefix.strip("/") for prefix in prefixes if not prefix.startswith("_"))

    def table(self, name):
        return f"{self.url}/{name}"

    def log(self, table):
        """Version → the number of its commit of the target. A version never changes, so each is read once."""
        known = self.numbers.setdefault(table, {})
        for key in self.keys(f"{table}/_delta_log"):
            found = VERSION.search(key)
            if found and int(found[1]) not in known:
                known[int(found[1])] = self.number(key)
        versions = sorted(known)
        if versions != list(range(len(versions))):
            raise RuntimeError(f"{table} has the versions {versions}")
        return dict(sorted(known.items()))

    def number(self, key):
        actions = [json.loads(line) for line in self.read(key).splitlines()]
        (txn,) = [action["txn"] for action in actions if "txn" in action]
        if txn["appId"] != "eventloader":
            raise RuntimeError(f"{key} is of {txn}")
        return txn["version"]

    def records(self):
        """The numbers of its commits."""
        return [int(key.rpartition("/")[2].removesuffix(".json")) for key in self.keys("_eventloader/commits")]

    def copy(self, name, keep):
        """A target beside it with the objects that `keep` says."""
        other = self.place.target(name)
        for key in self.keys():
            if keep(key):
                obstore.put(other.store, key, self.read(key))
        return other
