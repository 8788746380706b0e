# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

"""WALinuxAgent's own handling of extensions, brought to one goal state.

Usage: agent.py FILE, which is JSON: {"name", "versions": {version: zip}, "directory", "incarnation", "state", "version",
"sequence", "settings"}. Downloads, unpacks, runs commands and reads reports with the agent's code; only the wire server is not
there. Prints what the agent would report to Azure.

The agent looks after a command once a second. A second lasts a fifth here, for its limits too.
"""

import json
import os
import shutil
import sys
import time

from azurelinuxagent.common import conf, logger
from azurelinuxagent.common.datacontract import get_properties
from azurelinuxagent.common.protocol.restapi import Extension, ExtensionSettings, ExtHandlerPackage, ExtHandlerPackageList
from azurelinuxagent.common.utils import extensionprocessutil
from azurelinuxagent.ga.exthandlers import ExtHandlersHandler


class Clock:
    """The module time, as far as the agent's watch over commands uses it."""

    @staticmethod
    def sleep(seconds):
        time.sleep(seconds / 5)


extensionprocessutil.time = Clock


class Wire:
    """The wire server, as far as extensions see it."""

    on_hold, required_features = False, []
    created_on_timestamp = activity_id = correlation_id = ""

    def __init__(self, goal):
        self.goal = goal
        self.client = self
        self.incarnation = goal["incarnation"]
        extension = Extension(goal["name"])
        extension.version, extension.state = goal["version"], goal["state"]
        if goal["sequence"] is not None:
            extension.settings.append(ExtensionSettings(goal["name"], goal["sequence"], goal["settings"]))
        self.extensions = [extension]

    def get_extensions_goal_state(self):
        return self

    def get_goal_state(self):
        return self

    def get_incarnation(self):
        return self.incarnation

    def get_endpoint(self):
        return "168.63.129.16"

    def get_ext_handler_pkgs(self, _):
        packages = ExtHandlerPackageList()
        for version, file in self.goal["versions"].items():
            package = ExtHandlerPackage(version)
            package.uris.append(file)
            packages.versions.append(package)
        return packages

    def download_ext_handler_pkg(self, uri, destination):
        shutil.copyfile(uri, destination)
        return True

    def report_vm_status(self, _):
        pass

    def get_status_blob_data(self):
        return None


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        goal = json.load(f)
    directory = goal["directory"]
    settings = os.path.join(directory, "waagent.conf")
    for name in "lib", "log":
        os.makedirs(os.path.join(directory, name), 0o700, exist_ok=True)
    with open(settings, "w", encoding="utf-8") as f:
        f.write("Lib.Dir={0}/lib\nExtension.LogDir={0}/log\n".format(directory))
    conf.load_conf_from_file(settings)
    logger.add_logger_appender(logger.AppenderType.FILE, logger.LogLevel.INFO, os.path.join(directory, "log", "waagent.log"))
    handler = ExtHandlersHandler(Wire(goal))
    handler.run()
    json.dump([get_properties(h) for h in handler.report_ext_handlers_status().vmAgent.extensionHandlers], sys.stdout, default=str)


main()
