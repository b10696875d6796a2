"""A repository as GitHub's API tells it, cut to the fields that say something."""

from typing import Any

REPOSITORY = "/repos/octo/engine"
#: What a digest of 1 to 8 March 2026 counts in the recording.
COUNTS = {
    "commits": 4,
    "contributors": 3,
    "merged_pulls": 4,
    "merged_pulls_by_bots": 1,
    "commits_by_bots": 1,
    "merges": 1,
    "breaking": 1,
    "releases": 1,
    "open_pulls": 2,
    "open_pulls_by_bots": 1,
    "issues_opened": 2,
    "issues_closed": 2,
    "first_timers": 1,
}


def user(login: str, kind: str = "User") -> dict[str, Any]:
    return {
        "login": login,
        "id": sum(map(ord, login)),
        "node_id": "MDQ6VXNlcjE=",
        "avatar_url": "https://avatars.githubusercontent.com/u/1?v=4",
        "html_url": f"https://github.com/{login}",
        "type": kind,
        "site_admin": False,
    }


def pull(
    number: int, title: str, author: dict[str, Any] | None, *, opened: str, **values: Any
) -> dict[str, Any]:
    merged = values.get("merged_at")
    return {
        "id": 1000 + number,
        "number": number,
        "state": "closed" if merged or values.get("closed_at") else "open",
        "locked": False,
        "title": title,
        "user": author,
        "body": None,
        "labels": [],
        "draft": False,
        "created_at": opened,
        "updated_at": merged or values.get("closed_at") or opened,
        "closed_at": merged,
        "merged_at": None,
        "html_url": f"https://github.com/octo/engine/pull/{number}",
        "author_association": "CONTRIBUTOR",
        **values,
    }


def label(name: str) -> dict[str, Any]:
    return {"id": 1, "name": name, "color": "d73a4a", "default": True, "description": None}


def issue(number: int, title: str, *, opened: str, **values: Any) -> dict[str, Any]:
    return {
        "id": 2000 + number,
        "number": number,
        "title": title,
        "state": "closed" if values.get("closed_at") else "open",
        "user": user("reporter"),
        "labels": [],
        "created_at": opened,
        "updated_at": values.get("closed_at") or opened,
        "closed_at": None,
        "html_url": f"https://github.com/octo/engine/issues/{number}",
        **values,
    }


def release(tag: str, *, published: str | None, created: str, **values: Any) -> dict[str, Any]:
    return {
        "id": 3000,
        "tag_name": tag,
        "name": None,
        "draft": published is None,
        "prerelease": False,
        "created_at": created,
        "published_at": published,
        "html_url": f"https://github.com/octo/engine/releases/tag/{tag}",
        **values,
    }


def commit(
    sha: str, message: str, author: dict[str, Any] | None, at: str, *, parents: int = 1
) -> dict[str, Any]:
    name = author["login"] if author else "Unknown"
    signature = {"name": name, "email": f"{name.lower()}@example.com", "date": at}
    return {
        "sha": sha * 40,
        "html_url": f"https://github.com/octo/engine/commit/{sha * 40}",
        "commit": {"message": message, "author": signature, "committer": signature},
        "author": author,
        "committer": user("web-flow"),
        "parents": [{"sha": "0" * 40}] * parents,
    }


ANN, BEN, NEW = user("ann"), user("Ben"), user("newcomer")
DEPENDABOT = user("dependabot[bot]", "Bot")


def recording() -> dict[str, Any]:
    """Return the answers by path. The digest asks for 1 to 8 March 2026."""
    pulls = [
        pull(24, "Bump lib", DEPENDABOT, opened="2026-03-05T00:00:00Z",
             merged_at="2026-03-07T12:00:00Z", labels=[label("dependencies")]),
        pull(23, "First steps", NEW, opened="2026-03-05T00:00:00Z",
             merged_at="2026-03-06T00:00:00Z"),
        pull(22, "Fix the leak", BEN, opened="2026-02-20T00:00:00Z",
             merged_at="2026-03-04T00:00:00Z", labels=[label("bug"), label("memory")]),
        pull(21, "New engine", ANN, opened="2026-02-01T00:00:00Z",
             merged_at="2026-03-03T00:00:00Z", labels=[label("enhancement")],
             body="Fast.\n\nBREAKING CHANGE: the old engine is gone"),
        pull(20, "At the start", ANN, opened="2026-02-01T00:00:00Z",
             merged_at="2026-03-01T00:00:00Z", labels=[label("bug")]),
        pull(19, "Closed, never merged", BEN, opened="2026-02-01T00:00:00Z",
             closed_at="2026-03-02T00:00:00Z"),
        pull(18, "Merged the week before", BEN, opened="2026-02-01T00:00:00Z",
             merged_at="2026-02-27T00:00:00Z"),
        pull(17, "Merged long ago, talked about now", ANN, opened="2025-01-01T00:00:00Z",
             merged_at="2025-01-02T00:00:00Z", updated_at="2026-03-05T00:00:00Z"),
        pull(16, "Merged long ago", ANN, opened="2025-01-01T00:00:00Z",
             merged_at="2025-01-02T00:00:00Z"),
        pull(30, "Waiting since autumn", BEN, opened="2025-10-01T00:00:00Z"),
        pull(31, "Just opened", None, opened="2026-03-07T00:00:00Z", draft=True),
        pull(32, "Bump other", DEPENDABOT, opened="2026-03-01T00:00:00Z"),
    ]  # fmt: skip
    pulls.sort(key=lambda each: str(each["updated_at"]), reverse=True)
    sizes = {20: (5, 5), 21: (800, 90), 22: (12, 1), 23: (60, 0)}
    return {
        REPOSITORY: {
            "id": 1,
            "full_name": "octo/engine",
            "html_url": "https://github.com/octo/engine",
            "private": False,
            "has_issues": True,
            "default_branch": "main",
        },
        f"{REPOSITORY}/pulls": pulls,
        **{
            f"{REPOSITORY}/pulls/{each['number']}": {
                **each,
                "additions": sizes[each["number"]][0],
                "deletions": sizes[each["number"]][1],
            }
            for each in pulls
            if each["number"] in sizes
        },
        f"{REPOSITORY}/issues": [
            issue(40, "Opened now", opened="2026-03-02T00:00:00Z"),
            issue(41, "Opened and closed", opened="2026-03-02T00:00:00Z",
                  closed_at="2026-03-03T00:00:00Z"),
            issue(42, "Old, closed now", opened="2024-03-02T00:00:00Z",
                  closed_at="2026-03-03T00:00:00Z"),
            issue(43, "Old, commented", opened="2024-03-02T00:00:00Z",
                  updated_at="2026-03-03T00:00:00Z"),
            issue(44, "After the period", opened="2026-03-08T00:00:00Z"),
            issue(21, "New engine", opened="2026-02-01T00:00:00Z",
                  closed_at="2026-03-03T00:00:00Z", pull_request={"url": "…"}),
        ],
        f"{REPOSITORY}/releases": [
            release("v3-draft", published=None, created="2026-03-07T00:00:00Z"),
            release("v2.0", published="2026-03-06T00:00:00Z", created="2026-02-01T00:00:00Z",
                    name="Version two"),
            release("v1.0", published="2025-12-01T00:00:00Z", created="2025-12-01T00:00:00Z"),
            release("v0.1", published="2024-12-01T00:00:00Z", created="2024-12-01T00:00:00Z"),
        ],
        f"{REPOSITORY}/commits": [
            commit("f", "Bump lib (#24)", DEPENDABOT, "2026-03-07T12:00:00Z"),
            commit("e", "First steps (#23)", NEW, "2026-03-06T00:00:00Z"),
            commit("d", "Merge pull request #22", BEN, "2026-03-04T00:00:00Z", parents=2),
            commit("c", "Fix the leak", BEN, "2026-03-04T00:00:00Z"),
            commit("b", "New engine (#21)", ANN, "2026-03-03T00:00:00Z"),
            commit("a", "At the start (#20)", ANN, "2026-03-01T00:00:00Z"),
            commit("9", "The week before", BEN, "2026-02-27T00:00:00Z"),
            commit("8", "Long ago", ANN, "2025-01-02T00:00:00Z"),
        ],
    }  # fmt: skip
