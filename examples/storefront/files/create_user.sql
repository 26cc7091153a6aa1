-- Makes the temporary user, which may read and add rows in the tables that are there and in those that the migration
-- is about to make. Should it never be revoked, its password stops working after an hour.
\getenv user TEMPORARY_USER
\getenv password TEMPORARY_PASSWORD

\ir revoke_user.sql

SELECT now() + interval '1 hour' AS soon \gset
CREATE ROLE :"user" LOGIN PASSWORD :'password' VALID UNTIL :'soon';
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO :"user";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO :"user";
\echo created :user
