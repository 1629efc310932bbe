"""What all tests share: Hypothesis draws the same examples everywhere, and takes the time that it needs.

Tests compare what pytest and Hypothesis print, here and in the processes that they start; both print more where a
variable says that a server runs them.
"""

import os

SERVERS = (
    *("CI", "BUILD_NUMBER", "BUILDKITE", "CIRCLECI", "CIRRUS_CI", "CODEBUILD_BUILD_ID", "GITHUB_ACTIONS"),
    *("GITLAB_CI", "HEROKU_TEST_RUN_ID", "TEAMCITY_VERSION", "TF_BUILD", "bamboo.buildKey"),
)
for variable in SERVERS:
    os.environ.pop(variable, None)

from hypothesis import settings  # noqa: E402 (it looks at the variables when it is loaded)

settings.register_profile("fixed", derandomize=True, deadline=None, database=None, print_blob=False)
settings.load_profile("fixed")
