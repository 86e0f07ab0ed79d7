//! Many event types that consist of the same few objects, as GitHub's webhooks do: is a draft short, and does
//! it load all of them?
//!
//! The objects have the keys that GitHub's documentation lists, also those that are null in some places and
//! filled in others; all values are invented.

use serde_json::{Map, Value, json};

use super::{catalog, draft};
use crate::support::{
    events::{Die, file_of},
    workdir::Workdir,
};

/// What an event is about, and what can happen to it: 165 types.
const EVENTS: [(&str, &[&str]); 33] = [
    ("branch_protection_rule", &["created", "deleted", "edited"]),
    ("check_run", &["completed", "created", "requested_action", "rerequested"]),
    ("check_suite", &["completed", "requested", "rerequested"]),
    ("code_scanning_alert", &["appeared", "closed", "created", "fixed", "reopened"]),
    ("commit_comment", &["created"]),
    ("create", &[""]),
    ("delete", &[""]),
    ("dependabot_alert", &["created", "dismissed", "fixed", "reintroduced", "reopened"]),
    ("deploy_key", &["created", "deleted"]),
    ("deployment", &["created"]),
    ("deployment_status", &["created"]),
    (
        "discussion",
        &[
            "answered",
            "category_changed",
            "created",
            "deleted",
            "edited",
            "labeled",
            "locked",
            "pinned",
            "transferred",
            "unanswered",
            "unlabeled",
            "unlocked",
            "unpinned",
        ],
    ),
    ("discussion_comment", &["created", "deleted", "edited"]),
    ("fork", &[""]),
    ("issue_comment", &["created", "deleted", "edited"]),
    (
        "issues",
        &[
            "assigned",
            "closed",
            "deleted",
            "demilestoned",
            "edited",
            "labeled",
            "locked",
            "milestoned",
            "opened",
            "pinned",
            "reopened",
            "transferred",
            "unassigned",
            "unlabeled",
            "unlocked",
            "unpinned",
        ],
    ),
    ("label", &["created", "deleted", "edited"]),
    ("member", &["added", "edited", "removed"]),
    ("membership", &["added", "removed"]),
    ("milestone", &["closed", "created", "deleted", "edited", "opened"]),
    ("organization", &["deleted", "member_added", "member_invited", "member_removed", "renamed"]),
    ("package", &["published", "updated"]),
    ("project_card", &["converted", "created", "deleted", "edited", "moved"]),
    (
        "pull_request",
        &[
            "assigned",
            "auto_merge_disabled",
            "auto_merge_enabled",
            "closed",
            "converted_to_draft",
            "demilestoned",
            "dequeued",
            "edited",
            "enqueued",
            "labeled",
            "locked",
            "milestoned",
            "opened",
            "ready_for_review",
            "reopened",
            "review_request_removed",
            "review_requested",
            "synchronize",
            "unassigned",
            "unlabeled",
            "unlocked",
        ],
    ),
    ("pull_request_review", &["dismissed", "edited", "submitted"]),
    ("pull_request_review_comment", &["created", "deleted", "edited"]),
    ("push", &[""]),
    ("release", &["created", "deleted", "edited", "prereleased", "published", "released", "unpublished"]),
    (
        "repository",
        &[
            "archived",
            "created",
            "deleted",
            "edited",
            "privatized",
            "publicized",
            "renamed",
            "transferred",
            "unarchived",
        ],
    ),
    ("star", &["created", "deleted"]),
    ("team", &["added_to_repository", "created", "deleted", "edited", "removed_from_repository"]),
    ("workflow_job", &["completed", "in_progress", "queued", "waiting"]),
    ("workflow_run", &["completed", "in_progress", "requested"]),
];
/// With these, there are as many types as in the documentation's examples.
const MORE: [&str; 19] = [
    "installation.created",
    "installation.deleted",
    "installation.suspend",
    "installation.unsuspend",
    "installation_repositories.added",
    "installation_repositories.removed",
    "marketplace_purchase.cancelled",
    "marketplace_purchase.changed",
    "marketplace_purchase.purchased",
    "meta.deleted",
    "org_block.blocked",
    "org_block.unblocked",
    "registry_package.published",
    "repository_dispatch",
    "repository_import",
    "secret_scanning_alert.created",
    "secret_scanning_alert.resolved",
    "security_advisory.published",
    "security_advisory.updated",
];

fn urls(object: &mut Map<String, Value>, base: &str, names: &str) {
    for name in names.split(' ') {
        object.insert(format!("{name}_url"), json!(format!("https://api.example.com/{base}/{name}")));
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value}") };
    object
}

fn user(die: &mut Die) -> Value {
    let id = die.roll(90_000_000);
    let mut user = object(json!({
        "login": format!("dev{id}"), "id": id, "node_id": format!("U_{id}"), "gravatar_id": "",
        "url": format!("https://api.example.com/users/{id}"), "type": "User", "site_admin": false,
    }));
    urls(
        &mut user,
        "users",
        "avatar html followers following gists starred subscriptions organizations repos events received_events",
    );
    user.into()
}

fn repository(die: &mut Die) -> Value {
    let id = die.roll(700_000_000);
    let mut repository = object(json!({
        "id": id, "node_id": format!("R_{id}"), "name": "repo", "full_name": "org/repo", "private": false,
        "owner": user(die), "description": if die.one_in(3) { Value::Null } else { json!("Words") },
        "fork": false, "url": "https://api.example.com/repos", "created_at": "2019-05-15T15:19:25Z",
        "updated_at": "2024-10-10T15:20:41Z", "pushed_at": "2024-10-10T15:20:57Z", "homepage": null, "size": 1,
        "stargazers_count": 0, "watchers_count": 0, "language": null, "has_issues": true, "has_projects": true,
        "has_downloads": true, "has_wiki": true, "has_pages": true, "forks_count": 1, "archived": false,
        "disabled": false, "open_issues_count": 2, "topics": ["a"], "visibility": "public", "forks": 1,
        "open_issues": 2, "watchers": 0, "default_branch": "main",
        "license": if die.one_in(2) { Value::Null } else {
            json!({"key": "mit", "name": "MIT", "spdx_id": "MIT", "url": null, "node_id": "M"})
        },
    }));
    if die.one_in(2) {
        repository.insert("allow_forking".to_owned(), json!(true));
    }
    urls(
        &mut repository,
        "repos",
        "html forks keys collaborators teams hooks issue_events events assignees branches tags blobs git_tags \
         git_refs trees statuses languages stargazers contributors subscribers subscription commits \
         git_commits comments issue_comment contents compare merges archive downloads issues pulls \
         milestones notifications labels releases deployments git ssh clone svn mirror",
    );
    repository.into()
}

fn label(die: &mut Die) -> Value {
    json!({"id": die.roll(2_000_000_000), "node_id": "L", "url": "https://api.example.com/l", "name": "bug",
           "color": "d73a4a", "default": true, "description": "Something isn't working"})
}

fn reactions() -> Value {
    json!({"url": "https://api.example.com/r", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0,
           "confused": 0, "heart": 0, "rocket": 0, "eyes": 0})
}

fn milestone(die: &mut Die) -> Value {
    let mut milestone = object(json!({
        "url": "https://api.example.com/m", "id": die.roll(4_000_000), "node_id": "M", "number": 1, "title": "v1",
        "description": null, "creator": user(die), "open_issues": 1, "closed_issues": 0, "state": "open",
        "created_at": "2024-05-15T15:20:17Z", "updated_at": "2024-05-15T15:20:18Z",
        "due_on": if die.one_in(2) { Value::Null } else { json!("2024-11-15T15:20:18Z") }, "closed_at": null,
    }));
    urls(&mut milestone, "milestones", "html labels");
    milestone.into()
}

fn issue(die: &mut Die) -> Value {
    let mut issue = object(json!({
        "url": "https://api.example.com/i", "id": die.roll(400_000_000), "node_id": "I", "number": 1,
        "title": "Spelling", "user": user(die), "labels": [label(die)], "state": "open", "locked": false,
        "assignee": if die.one_in(2) { Value::Null } else { user(die) }, "assignees": [user(die)],
        "milestone": if die.one_in(2) { Value::Null } else { milestone(die) }, "comments": 0,
        "created_at": "2024-05-15T15:20:18Z", "updated_at": "2024-05-15T15:20:18Z", "closed_at": null,
        "author_association": "OWNER", "active_lock_reason": null, "body": "It looks", "reactions": reactions(),
        "performed_via_github_app": null, "state_reason": null,
    }));
    urls(&mut issue, "issues", "repository labels comments events html timeline");
    issue.into()
}

fn pull_request(die: &mut Die) -> Value {
    let side = |die: &mut Die| {
        json!({"label": "org:main", "ref": "main", "sha": "ec26c3e57ca3a959ca5aad62de7213c562f8c821",
               "user": user(die), "repo": repository(die)})
    };
    let mut pull = object(issue(die));
    pull.extend(object(json!({
        "merged_at": null, "merge_commit_sha": null, "requested_reviewers": [user(die)], "requested_teams": [],
        "head": side(die), "base": side(die), "auto_merge": null, "draft": false, "merged": false,
        "mergeable": null, "merged_by": null, "commits": 1, "additions": 1, "deletions": 1, "changed_files": 1,
        "_links": {"self": {"href": "a"}, "html": {"href": "b"}, "issue": {"href": "c"}, "commits": {"href": "d"}},
    })));
    pull.into()
}

fn comment(die: &mut Die) -> Value {
    json!({"url": "u", "html_url": "h", "issue_url": "i", "id": die.roll(500_000_000), "node_id": "C",
           "user": user(die), "created_at": "2024-05-15T15:20:21Z", "updated_at": "2024-05-15T15:20:21Z",
           "author_association": "OWNER", "body": "You are totally right!", "reactions": reactions()})
}

fn team() -> Value {
    json!({"name": "github", "id": 3_253_328, "node_id": "T", "slug": "github", "description": "Open", "privacy": "secret",
           "url": "u", "html_url": "h", "members_url": "m", "repositories_url": "r", "permission": "pull"})
}

/// Some other object that only this kind of event has.
fn own(die: &mut Die, kind: &str) -> Value {
    let mut own =
        object(json!({"id": die.roll(9_000_000), "url": "u", "state": "open", "creator": user(die)}));
    for index in 0..12 {
        own.insert(format!("{}_{index}", &kind[..kind.len().min(5)]), json!(die.roll(9)));
    }
    own.into()
}

fn payload(die: &mut Die, kind: &str, action: &str) -> Value {
    let mut data = Map::new();
    let mut add = |key: &str, value: Value| drop(data.insert(key.to_owned(), value));
    if !action.is_empty() {
        add("action", json!(action));
    }
    match kind {
        "issues" | "issue_comment" => add("issue", issue(die)),
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => {
            add("number", json!(2));
            add("pull_request", pull_request(die));
        }
        "label" => add("label", label(die)),
        "milestone" => add("milestone", milestone(die)),
        "team" | "membership" => add("team", team()),
        "member" => add("member", user(die)),
        "fork" => add("forkee", repository(die)),
        "push" => {
            let commit = json!({"id": "c", "message": "m", "timestamp": "2024-05-15T15:20:34Z", "added": [],
                "author": {"name": "n", "email": "e", "username": "u"}, "distinct": true,
                "committer": {"name": "n", "email": "e", "username": "u"}, "modified": ["README.md"]});
            add("ref", json!("refs/heads/main"));
            add("head_commit", commit.clone());
            add("commits", json!([commit.clone(), commit]));
        }
        _ => add(kind, own(die, kind)),
    }
    if kind.ends_with("comment") {
        add("comment", comment(die));
    }
    match action {
        "labeled" | "unlabeled" => add("label", label(die)),
        "assigned" | "unassigned" => add("assignee", user(die)),
        "edited" => add("changes", json!({"title": {"from": "old"}})),
        _ => {}
    }
    if !matches!(kind, "organization" | "membership" | "team") {
        add("repository", repository(die));
    }
    if kind != "security_advisory" {
        add("sender", user(die));
    }
    if die.one_in(2) {
        let mut organization =
            object(json!({"login": "org", "id": 6_752_317, "node_id": "O", "url": "u", "description": null}));
        urls(&mut organization, "orgs", "repos events hooks issues members public_members avatar");
        add("organization", organization.into());
    }
    data.into()
}

#[test]
fn types_of_the_same_few_objects_are_drafted_in_few_lines() {
    let mut die = Die::new(17);
    let by_action =
        EVENTS.iter().flat_map(|(kind, actions)| actions.iter().map(move |action| (*kind, *action)));
    let more = MORE.iter().map(|name| name.split_once('.').unwrap_or((name, "")));
    let types: Vec<_> = by_action.chain(more).collect();
    let mut lines = Vec::new();
    for (kind, action) in &types {
        for _ in 0..2 {
            let event_type = format!("{kind}.{action}");
            let at = format!("2024-10-10T00:{:02}:{:02}Z", lines.len() / 60, lines.len() % 60);
            let event = json!({"event_id": format!("e{}", lines.len()), "timestamp": at, "domain": "github",
                "event_type": event_type.trim_end_matches('.'), "data": payload(&mut die, kind, action)});
            lines.push(event.to_string());
        }
    }
    assert_eq!(types.len(), 165);
    let dir = Workdir::new();
    dir.write("in.json", file_of(&lines));
    let drafted = draft(&dir).stdout;
    let tables = catalog(&dir, ["show", "--catalog", "draft.toml", "-D", "github"]).succeeds().stdout;
    let (drafted_lines, columns) = (drafted.lines().count(), tables.lines().count());
    assert!(columns > 20_000, "{columns} lines of tables");
    assert!(drafted_lines <= 4_000, "{drafted_lines} lines");
    for name in ["repository", "owner", "issue", "pull_request"] {
        assert!(drafted.contains(&format!("\n[types.{name}.fields]\n")), "{name}");
    }
    let outcome = dir.loader().source("in.json").args(["-b", "--catalog", "draft.toml"]).succeeds();
    assert_eq!((outcome.count("written"), outcome.count("quarantined.total")), (330, 0), "{outcome}");
    assert_eq!(outcome.report()["unknown_fields"], json!({}), "every key has a column");
    lines.reverse();
    dir.write("in.json", file_of(&lines));
    assert_eq!(draft(&dir).stdout, drafted, "the order of lines means nothing");
}
