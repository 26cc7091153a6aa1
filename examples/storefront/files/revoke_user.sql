-- Takes the temporary user's rights and the user away, if there is one.
\getenv user TEMPORARY_USER

SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') AS present \gset
\if :present
    DROP OWNED BY :"user";
    DROP ROLE :"user";
    \echo revoked :user
\endif
